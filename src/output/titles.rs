//! Titles of the papers that the documentation cites by authors, journal, volume and page: for BibTeX.

use crate::output::reference::Reference;

/// The title of a work; none where the reference has it itself, as those of books do, or where it is not known.
pub fn title(of: &Reference) -> Option<&'static str> {
    let same = |cited: &str| Reference::of(cited).is_some_and(|r| r.work() == of.work());
    TITLES.iter().find(|(cited, _)| same(cited)).map(|(_, title)| *title)
}

/// A work as it is cited, and its title.
pub const TITLES: &[(&str, &str)] = &[
    ("Abdulle & Li, Commun. Math. Sci. 6 (2008) 845", "S-ROCK methods for stiff Itô SDEs"),
    (
        "Abdulle, Almuslimani & Vilmart, SIAM/ASA J. Uncertain. Quantif. 6 (2018) 937",
        "Optimal explicit stabilized integrator of weak order 1 for stiff and ergodic stochastic differential equations",
    ),
    ("Abdulle & Medovikov, Numer. Math. 90 (2001) 1", "Second order Chebyshev methods based on orthogonal polynomials"),
    (
        "Abdulle, Vilmart & Zygalakis, SIAM J. Sci. Comput. 35 (2013) A1792",
        "Weak second order explicit stabilized methods for stiff stochastic differential equations",
    ),
    (
        "Alfonsi, Monte Carlo Methods Appl. 11 (2005) 355",
        "On the discretization schemes for the CIR (and Bessel squared) processes",
    ),
    (
        "Andersen, J. Comput. Finance 11 (2008) 1",
        "Simple and efficient simulation of the Heston stochastic volatility model",
    ),
    (
        "Arató, Math. Comput. Model. 38 (2003) 709",
        "A famous nonlinear stochastic equation (Lotka-Volterra model with diffusion)",
    ),
    (
        "Beyn, Isaak & Kruse, J. Sci. Comput. 67 (2016) 955",
        "Stochastic C-stability and B-consistency of explicit and implicit Euler-type schemes",
    ),
    ("Black & Scholes, J. Polit. Econ. 81 (1973) 637", "The pricing of options and corporate liabilities"),
    ("Bogacki & Shampine, Appl. Math. Lett. 2 (1989) 321", "A 3(2) pair of Runge-Kutta formulas"),
    ("Botev, Grotowski & Kroese, Ann. Stat. 38 (2010) 2916", "Kernel density estimation via diffusion"),
    ("Box & Muller, Ann. Math. Stat. 29 (1958) 610", "A note on the generation of random normal deviates"),
    (
        "Brosse, Durmus, Moulines & Sabanis, Stoch. Process. Appl. 129 (2019) 3638",
        "The tamed unadjusted Langevin algorithm",
    ),
    ("Busing, Meijer & van der Leeden, Stat. Comput. 9 (1999) 3", "Delete-m jackknife for unequal m"),
    ("Bussi & Parrinello, Phys. Rev. E 75 (2007) 056707", "Accurate sampling using Langevin dynamics"),
    (
        "Castell & Gaines, Ann. Inst. Henri Poincare B 32 (1996) 231",
        "The ordinary differential equation approach to asymptotically efficient schemes for solution of stochastic \
         differential equations",
    ),
    ("Cheng, Chatterji, Bartlett & Jordan, COLT (2018)", "Underdamped Langevin MCMC: a non-asymptotic analysis"),
    ("Cox & Matthews, J. Comput. Phys. 176 (2002) 430", "Exponential time differencing for stiff systems"),
    ("Cox, Ingersoll & Ross, Econometrica 53 (1985) 385", "A theory of the term structure of interest rates"),
    ("Cox, J. Portf. Manag. 23 (1996) 15", "The constant elasticity of variance option pricing model"),
    (
        "Dalalyan & Riou-Durand, Bernoulli 26 (2020) 1956",
        "On sampling from a log-concave density using kinetic Langevin diffusions",
    ),
    (
        "Davie, in Stochastic Analysis and Applications 2014 (Springer 2014) 185",
        "KMT theory applied to approximations of SDE",
    ),
    (
        "Dawson, J. Stat. Phys. 31 (1983) 29",
        "Critical dynamics and fluctuations for a mean-field model of cooperative behavior",
    ),
    (
        "Debrabant & Rößler, Appl. Numer. Math. 59 (2009) 582",
        "Families of efficient second order Runge-Kutta methods for the weak approximation of Itô stochastic differential \
         equations",
    ),
    (
        "Debrabant & Rößler, Math. Comput. Simul. 77 (2008) 408",
        "Classification of stochastic Runge-Kutta methods for the weak approximation of stochastic differential equations",
    ),
    (
        "Dereich, Neuenkirch & Szpruch, Proc. R. Soc. A 468 (2012) 1105",
        "An Euler-type method for the strong approximation of the Cox-Ingersoll-Ross process",
    ),
    ("Desai & Zwanzig, J. Stat. Phys. 19 (1978) 1", "Statistical mechanics of a nonlinear stochastic model"),
    ("Dormand & Prince, J. Comput. Appl. Math. 6 (1980) 19", "A family of embedded Runge-Kutta formulae"),
    ("Duane, Kennedy, Pendleton & Roweth, Phys. Lett. B 195 (1987) 216", "Hybrid Monte Carlo"),
    ("FitzHugh, Biophys. J. 1 (1961) 445", "Impulses and physiological states in theoretical models of nerve membrane"),
    ("Forest & Ruth, Physica D 43 (1990) 105", "Fourth-order symplectic integration"),
    (
        "Foster, Lyons & Oberhauser, SIAM J. Numer. Anal. 58 (2020) 1393",
        "An optimal polynomial approximation of Brownian motion",
    ),
    ("Foster, Lyons & Oberhauser, arXiv:2101.03446", "The shifted ODE method for underdamped Langevin MCMC"),
    (
        "Foster, dos Reis & Strange, SIAM J. Numer. Anal. 62 (2024) 500",
        "High order splitting methods for SDEs satisfying a commutativity condition",
    ),
    (
        "Freedman & Diaconis, Z. Wahrscheinlichkeitstheorie 57 (1981) 453",
        "On the histogram as a density estimator: L2 theory",
    ),
    ("Geyer, Stat. Sci. 7 (1992) 473", "Practical Markov chain Monte Carlo"),
    (
        "Gillespie, Phys. Rev. E 54 (1996) 2084",
        "Exact numerical simulation of the Ornstein-Uhlenbeck process and its integral",
    ),
    ("Goodman & Weare, Commun. Appl. Math. Comput. Sci. 5 (2010) 65", "Ensemble samplers with affine invariance"),
    (
        "Greiner, Strittmatter & Honerkamp, J. Stat. Phys. 51 (1988) 95",
        "Numerical integration of stochastic differential equations",
    ),
    (
        "Grønbech-Jensen & Farago, Mol. Phys. 111 (2013) 983",
        "A simple and effective Verlet-type algorithm for simulating Langevin dynamics",
    ),
    (
        "Gustafsson, ACM Trans. Math. Softw. 17 (1991) 533",
        "Control theoretic techniques for stepsize selection in explicit Runge-Kutta methods",
    ),
    (
        "Haario, Saksman & Tamminen, Comput. Stat. 14 (1999) 375",
        "Adaptive proposal distribution for random walk Metropolis algorithm",
    ),
    ("Hagan, Kumar, Lesniewski & Woodward, Wilmott Magazine (September 2002) 84", "Managing smile risk"),
    (
        "He, Balasubramanian & Erdogdu, NeurIPS (2020)",
        "On the ergodicity, bias and asymptotic normality of randomized midpoint sampling method",
    ),
    (
        "Heston, Rev. Financ. Stud. 6 (1993) 327",
        "A closed-form solution for options with stochastic volatility with applications to bond and currency options",
    ),
    (
        "Higham, Mao & Stuart, SIAM J. Numer. Anal. 40 (2002) 1041",
        "Strong convergence of Euler-type methods for nonlinear stochastic differential equations",
    ),
    (
        "Higham, SIAM J. Numer. Anal. 38 (2000) 753",
        "Mean-square and asymptotic stability of the stochastic theta method",
    ),
    ("Ho, Jain & Abbeel, NeurIPS (2020)", "Denoising diffusion probabilistic models"),
    ("Hochbruck & Ostermann, Acta Numer. 19 (2010) 209", "Exponential integrators"),
    ("Horowitz, Phys. Lett. B 268 (1991) 247", "A generalized guided Monte Carlo algorithm"),
    (
        "Hutzenthaler, Jentzen & Kloeden, Ann. Appl. Probab. 22 (2012) 1611",
        "Strong convergence of an explicit numerical method for SDEs with nonglobally Lipschitz continuous coefficients",
    ),
    (
        "Ilie, Jackson & Enright, Numer. Algorithms 68 (2015) 791",
        "Adaptive time-stepping for the strong numerical solution of stochastic differential equations",
    ),
    (
        "Jentzen & Kloeden, Proc. R. Soc. A 465 (2009) 649",
        "Overcoming the order barrier in the numerical approximation of stochastic partial differential equations with \
         additive space-time noise",
    ),
    (
        "Jones, Proc. R. Soc. A 106 (1924) 463",
        "On the determination of molecular fields. II. From the equation of state of a gas",
    ),
    ("Kahl & Schurz, Monte Carlo Methods Appl. 12 (2006) 143", "Balanced Milstein methods for ordinary SDEs"),
    (
        "Karras, Aittala, Aila & Laine, NeurIPS (2022)",
        "Elucidating the design space of diffusion-based generative models",
    ),
    (
        "Kidger, Foster, Li & Lyons, Adv. Neural Inf. Process. Syst. 34 (2021)",
        "Efficient and accurate gradients for neural SDEs",
    ),
    ("Kingma, Salimans, Poole & Ho, NeurIPS (2021)", "Variational diffusion models"),
    (
        "Kosterlitz & Thouless, J. Phys. C 6 (1973) 1181",
        "Ordering, metastability and phase transitions in two-dimensional systems",
    ),
    (
        "Kramers, Physica 7 (1940) 284",
        "Brownian motion in a field of force and the diffusion model of chemical reactions",
    ),
    ("Kubo, J. Math. Phys. 4 (1963) 174", "Stochastic Liouville equations"),
    ("Kutta, Z. Math. Phys. 46 (1901) 435", "Beitrag zur näherungsweisen Integration totaler Differentialgleichungen"),
    (
        "Köhler, Klein & Noé, ICML (2020)",
        "Equivariant flows: exact likelihood generative learning for symmetric densities",
    ),
    (
        "Leimkuhler & Matthews, Appl. Math. Res. Express 2013 (2013) 34",
        "Rational construction of stochastic numerical methods for molecular sampling",
    ),
    (
        "Lindner & Schimansky-Geier, Phys. Rev. E 60 (1999) 7270",
        "Analytical approach to the stochastic FitzHugh-Nagumo system and coherence resonance",
    ),
    (
        "Livingstone & Zanella, J. R. Stat. Soc. B 84 (2022) 496",
        "The Barker proposal: combining robustness and efficiency in gradient-based MCMC",
    ),
    (
        "Lord & Tambue, IMA J. Numer. Anal. 33 (2013) 515",
        "Stochastic exponential integrators for the finite element discretization of SPDEs for multiplicative and additive \
         noise",
    ),
    (
        "Lord, Koekkoek & van Dijk, Quant. Finance 10 (2010) 177",
        "A comparison of biased simulation schemes for stochastic volatility models",
    ),
    (
        "Lorenz & Emanuel, J. Atmos. Sci. 55 (1998) 399",
        "Optimal sites for supplementary weather observations: simulation with a small model",
    ),
    ("Lorenz, J. Atmos. Sci. 20 (1963) 130", "Deterministic nonperiodic flow"),
    (
        "Mao, J. Comput. Appl. Math. 290 (2015) 370",
        "The truncated Euler-Maruyama method for stochastic differential equations",
    ),
    ("Maruyama, Rend. Circ. Mat. Palermo 4 (1955) 48", "Continuous Markov processes and stochastic equations"),
    (
        "Masson, Rim & Lee, PVLDB 12 (2019) 2195",
        "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees",
    ),
    ("May, Am. Nat. 107 (1973) 621", "Stability in randomly fluctuating versus deterministic environments"),
    ("Metropolis et al., J. Chem. Phys. 21 (1953) 1087", "Equation of state calculations by fast computing machines"),
    ("Midgley et al., ICLR (2023)", "Flow annealed importance sampling bootstrap"),
    (
        "Milstein, Platen & Schurz, SIAM J. Numer. Anal. 35 (1998) 1010",
        "Balanced implicit methods for stiff stochastic systems",
    ),
    (
        "Milstein, Repin & Tretyakov, SIAM J. Numer. Anal. 40 (2002) 1583",
        "Numerical methods for stochastic systems preserving symplectic structure",
    ),
    ("Milstein, Theory Probab. Appl. 19 (1975) 557", "Approximate integration of stochastic differential equations"),
    (
        "Müller & Brown, Theor. Chim. Acta 53 (1979) 75",
        "Location of saddle points and minimum energy paths by a constrained simplex optimization procedure",
    ),
    ("Neal, Ann. Stat. 31 (2003) 705", "Slice sampling"),
    ("Nichol & Dhariwal, ICML (2021)", "Improved denoising diffusion probabilistic models"),
    (
        "Ninomiya & Victoir, Appl. Math. Finance 15 (2008) 107",
        "Weak approximation of stochastic differential equations and application to derivative pricing",
    ),
    (
        "Noé, Olsson, Köhler & Wu, Science 365 (2019) eaaw1147",
        "Boltzmann generators: sampling equilibrium states of many-body systems with deep learning",
    ),
    ("Parisi, Nucl. Phys. B 180 (1981) 378", "Correlation functions and computer simulations"),
    ("Prince & Dormand, J. Comput. Appl. Math. 7 (1981) 67", "High order embedded Runge-Kutta formulae"),
    (
        "Pébay, Sandia Report SAND2008-6212 (2008)",
        "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order statistical moments",
    ),
    (
        "Rackauckas & Nie, IEEE High Performance Extreme Computing Conf. (2020)",
        "Stability-optimized high order methods and stiffness detection for pathwise stiff stochastic differential equations",
    ),
    ("Ralston, Math. Comp. 16 (1962) 431", "Runge-Kutta methods with minimum error bounds"),
    (
        "Riou-Durand & Vogrinc (2022), arXiv:2202.13230",
        "Metropolis adjusted Langevin trajectories: a robust alternative to Hamiltonian Monte Carlo",
    ),
    (
        "Roberts & Tweedie, Bernoulli 2 (1996) 341",
        "Exponential convergence of Langevin distributions and their discrete approximations",
    ),
    (
        "Romanczuk et al., Eur. Phys. J. Spec. Top. 202 (2012) 1",
        "Active Brownian particles: from individual to collective stochastic dynamics",
    ),
    ("Rubin, J. Educ. Stat. 6 (1981) 377", "Estimation in parallel randomized experiments"),
    (
        "Rößler, BIT Numer. Math. 47 (2007) 657",
        "Second order Runge-Kutta methods for Stratonovich stochastic differential equations",
    ),
    (
        "Rößler, SIAM J. Numer. Anal. 47 (2009) 1713",
        "Second order Runge-Kutta methods for Itô stochastic differential equations",
    ),
    (
        "Rößler, SIAM J. Numer. Anal. 48 (2010) 922",
        "Runge-Kutta methods for the strong approximation of solutions of stochastic differential equations",
    ),
    ("Rümelin, SIAM J. Numer. Anal. 19 (1982) 604", "Numerical treatment of stochastic differential equations"),
    (
        "Sakaguchi, Prog. Theor. Phys. 79 (1988) 39",
        "Cooperative phenomena in coupled oscillator systems under external fields",
    ),
    (
        "Salmon, Moraes, Dror & Shaw, Proc. Int. Conf. High Performance Computing (2011)",
        "Parallel random numbers: as easy as 1, 2, 3",
    ),
    (
        "Sanz-Serna & Zygalakis, J. Mach. Learn. Res. 22 (2021) 242",
        "Wasserstein distance estimates for the distributions of numerical approximations to ergodic stochastic \
         differential equations",
    ),
    ("Shen & Lee, NeurIPS (2019)", "The randomized midpoint method for log-concave sampling"),
    ("Song et al., ICLR (2021)", "Score-based generative modeling through stochastic differential equations"),
    (
        "Song, Sohl-Dickstein, Kingma, Kumar, Ermon & Poole, ICLR (2021)",
        "Score-based generative modeling through stochastic differential equations",
    ),
    (
        "Swope, Andersen, Berens & Wilson, J. Chem. Phys. 76 (1982) 637",
        "A computer simulation method for the calculation of equilibrium constants for the formation of physical clusters \
         of molecules: application to small water clusters",
    ),
    (
        "Tsitouras, Comput. Math. Appl. 62 (2011) 770",
        "Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying assumption",
    ),
    ("Uhlenbeck & Ornstein, Phys. Rev. 36 (1930) 823", "On the theory of the Brownian motion"),
    ("Van der Pol, Phil. Mag. 2 (1926) 978", "On relaxation-oscillations"),
    (
        "Vanden-Eijnden & Ciccotti, Chem. Phys. Lett. 429 (2006) 310",
        "Second-order integrators for Langevin equations with holonomic constraints",
    ),
    ("Vasicek, J. Financ. Econ. 5 (1977) 177", "An equilibrium characterization of the term structure"),
    (
        "Vehtari, Gelman, Simpson, Carpenter & Bürkner, Bayesian Anal. 16 (2021) 667",
        "Rank-normalization, folding, and localization: an improved R-hat for assessing convergence of MCMC",
    ),
    (
        "Verlet, Phys. Rev. 159 (1967) 98",
        "Computer \"experiments\" on classical fluids. I. Thermodynamical properties of Lennard-Jones molecules",
    ),
    (
        "Wang & Gan, J. Differ. Equ. Appl. 19 (2013) 466",
        "The tamed Milstein method for commutative stochastic differential equations with non-globally Lipschitz continuous \
         coefficients",
    ),
    (
        "Wiktorsson, Ann. Appl. Probab. 11 (2001) 470",
        "Joint characteristic function and simultaneous simulation of iterated Itô integrals for multiple independent \
         Brownian motions",
    ),
    ("Woodruff, J. Am. Stat. Assoc. 47 (1952) 635", "Confidence intervals for medians and other position measures"),
    ("Yoshida, Phys. Lett. A 150 (1990) 262", "Construction of higher order symplectic integrators"),
    (
        "Yu, Karagulyan & Dalalyan, ICLR (2024)",
        "Langevin Monte Carlo for strongly log-concave distributions: randomized midpoint revisited",
    ),
];
