//! The views of a model that step rules are written for, by name, and the classes of noise.

/// A form that a solver can ask for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Form {
    Ito,
    Stratonovich,
    Kinetic,
    Density,
    Semilinear,
    Linear,
    Geometric,
    SquareRoot,
    /// forms of later stages, by name
    Later(&'static str),
}

/// The noise that a rule is written for, from narrow to wide.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoiseClass {
    None,
    Additive,
    Scalar,
    Diagonal,
    Commutative,
    Any,
}

impl Form {
    pub const NAMES: [&'static str; 11] = [
        "ito",
        "stratonovich",
        "kinetic",
        "density",
        "semilinear",
        "linear",
        "geometric",
        "square_root",
        "denoising",
        "parts",
        "jumps",
    ];

    pub fn named(name: &str) -> Option<Form> {
        Some(match name {
            "ito" => Form::Ito,
            "stratonovich" => Form::Stratonovich,
            "kinetic" => Form::Kinetic,
            "density" => Form::Density,
            "semilinear" => Form::Semilinear,
            "linear" => Form::Linear,
            "geometric" => Form::Geometric,
            "square_root" => Form::SquareRoot,
            "denoising" => Form::Later("denoising"),
            "parts" => Form::Later("parts"),
            "jumps" => Form::Later("jumps"),
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Form::Ito => "ito",
            Form::Stratonovich => "stratonovich",
            Form::Kinetic => "kinetic",
            Form::Density => "density",
            Form::Semilinear => "semilinear",
            Form::Linear => "linear",
            Form::Geometric => "geometric",
            Form::SquareRoot => "square_root",
            Form::Later(name) => name,
        }
    }

    /// The number of names in its brackets.
    pub fn arity(self) -> usize {
        match self {
            Form::Ito | Form::Stratonovich | Form::Geometric => 2,
            Form::Density => 1,
            Form::Later("parts" | "jumps") => 2,
            _ => 3,
        }
    }

    /// The form with the usual names in its brackets.
    pub fn example(self) -> &'static str {
        match self {
            Form::Ito => "ito(a, b)",
            Form::Stratonovich => "stratonovich(a, b)",
            Form::Kinetic => "kinetic(force, gamma, sigma)",
            Form::Density => "density(p)",
            Form::Semilinear => "semilinear(A, f, b)",
            Form::Linear => "linear(A, c, b)",
            Form::Geometric => "geometric(A, s)",
            Form::SquareRoot => "square_root(A, c, s)",
            Form::Later("denoising") => "denoising(alpha, sigma, x0)",
            Form::Later("parts") => "parts(F, G)",
            Form::Later(_) => "jumps(rate, change)",
        }
    }

    /// The model that it shows, in a line.
    pub fn doc(self) -> &'static str {
        match self {
            Form::Ito => "dx = a(t, x) dt + b(t, x) dW, read as Ito",
            Form::Stratonovich => "dx = a(t, x) dt + b(t, x) dW, read as Stratonovich",
            Form::Kinetic => "dq = v dt, dv = (force(t, q) - gamma v) dt + sigma dW",
            Form::Density => "a law known by its density p, and no dynamics",
            Form::Semilinear => "dx = (A(t) x + f(t, x)) dt + b(t) dW",
            Form::Linear => "dx = (A x + c) dt + b dW with constants A, c and b",
            Form::Geometric => "dx = A x dt + s x dW with constants A and s for each component",
            Form::SquareRoot => "dx = (A x + c) dt + s sqrt(x) dW with constants A, c and s for each component",
            Form::Later("denoising") => "a linear process that is reversed, with x0(t, x) the denoised state",
            Form::Later("parts") => "dx = F(t, x, y) dt, dy = G(t, x, y) dt",
            Form::Later(_) => "jumps of intensities rate(t, x) to the states change(x)",
        }
    }
}

impl NoiseClass {
    pub const ALL: [NoiseClass; 6] = [
        NoiseClass::None,
        NoiseClass::Additive,
        NoiseClass::Scalar,
        NoiseClass::Diagonal,
        NoiseClass::Commutative,
        NoiseClass::Any,
    ];

    pub fn named(name: &str) -> Option<NoiseClass> {
        NoiseClass::ALL.into_iter().find(|c| c.name() == name)
    }

    /// What it means, in a line.
    pub fn doc(self) -> &'static str {
        match self {
            NoiseClass::None => "no noise at all",
            NoiseClass::Additive => "the noise does not depend on the state: dx = a dt + b(t) dW",
            NoiseClass::Scalar => "one noise for all equations: b(t, x) is a vector beside one dW",
            NoiseClass::Diagonal => "each equation has a noise of its own, whose factor is of its own state",
            NoiseClass::Commutative => "the columns of b(t, x) commute: no Levy areas are needed for order 1",
            NoiseClass::Any => "whatever the noise",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            NoiseClass::None => "none",
            NoiseClass::Additive => "additive",
            NoiseClass::Scalar => "scalar",
            NoiseClass::Diagonal => "diagonal",
            NoiseClass::Commutative => "commutative",
            NoiseClass::Any => "any",
        }
    }
}
