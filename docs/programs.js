// Colours programs in the pages: what highlight.js has to know of the language.

(() => {
  const words = {};
  // made from the tables of the sources: UPDATE=1 cargo test --test editors
  words.keyword =
    'and at by check const convention converge correlation covariance data else error estimate every first fn for from if in init last let log_density maximise minimise model noise not on or order over part paths phase plot potential precision rate report return run save seed solve solver state step steps stop sweep target then threads time to tol train use weight when with';
  words.literal =
    'true false pi inf';
  words.type =
    'real int bool';
  words.built_in =
    'abs accept acceptance acos all animation any append argmax argmin asin atan atan2 autocorr avg bernoulli bernoulli_logit bessel_ratio beta binomial categorical_logit cauchy cbrt ceil cholesky clamp convergence corr cos cosh cov cross csv ddt density det diag digamma dirichlet div divergences dot empirical equal_in erf erfc erfinv ess exp expect expm expm1 exponential eye fan floor gamma gamma_p gaussian geometric grad hessian histogram hvp image integral inv invariant inverse_gamma jacobian jvp karras kurtosis ladder laplace laplacian lgamma linspace log log1p log_i0 logaddexp logdet logit lognormal logpdf logsumexp max mean min mixture mod multivariate_normal norm normal ones outer paths phase poisson polygamma potential prob prod product quantile rank rhat roll sample scale scatter score se shift sigmoid sign sin sinh skewness softmax softplus solve sort sqrt standardize std stop_grad strong_order student_t sum tan tanh temper tilt trace uniform var vjp von_mises weak_order with_intercept work_precision zeros';
  // end of what is made

  hljs.registerLanguage('sde', (hljs) => ({
    name: 'Fokker',
    keywords: words,
    contains: [
      hljs.COMMENT('#', '$'),
      { className: 'string', begin: '"', end: '"' },
      { className: 'number', begin: '\\b\\d[\\d_]*(\\.\\d[\\d_]*)?([eE][+-]?\\d+)?' },
    ],
  }));
  document.querySelectorAll('code.language-sde').forEach((block) => hljs.highlightBlock(block));
})();
