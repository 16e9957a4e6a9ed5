//! The table of diagnostic codes: one row each. The hundreds digit says the layer
//! (1 text and syntax, 2 names, 3 types and shapes, 4 models and solvers, 5 runs, 6 data and files, 9 not supported yet).

/// A code such as `E0301`.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub &'static str);

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// A code explained: why it is an error (or a warning), with a program that is wrong and one that is right.
#[derive(Copy, Clone, Debug)]
pub struct Explanation {
    pub code: Code,
    pub title: &'static str,
    /// sentences, then examples: see [`Explanation::example`]
    pub text: &'static str,
}

impl Explanation {
    /// The program below the line `wrong:` or `right:`, indented by four.
    pub fn example(&self, which: &str) -> Option<String> {
        let head = format!("{which}:");
        let lines = self.text.lines().skip_while(|l| *l != head).skip(1);
        let lines: Vec<&str> = lines
            .take_while(|l| l.is_empty() || l.starts_with("    "))
            .map(|l| l.strip_prefix("    ").unwrap_or(l))
            .collect();
        let text = lines.join("\n").trim().to_string();
        (!text.is_empty()).then(|| text + "\n")
    }
}

/// The explanation of a code, in letters of either case.
pub fn explanation(code: &str) -> Option<&'static Explanation> {
    EXPLANATIONS.iter().find(|e| e.code.0.eq_ignore_ascii_case(code))
}

macro_rules! codes {
    ($($name:ident = $code:literal, $title:literal;)*) => {
        $(#[doc = $title] pub const $name: Code = Code($code);)*
        /// Every code with its title, in order.
        pub const TABLE: &[(Code, &str)] = &[$(($name, $title)),*];

        const EXPLANATIONS: &[Explanation] = &[
            $(Explanation { code: $name, title: $title, text: include_str!(concat!("codes/", $code, ".txt")) }),*
        ];
    };
}

codes! {
    NOT_UTF8 = "E0101", "the file is not UTF-8 text";
    BAD_TOKEN = "E0102", "a character or token that the language does not have";
    BAD_NUMBER = "E0103", "a malformed number";
    UNBALANCED = "E0104", "a bracket without its partner";
    SYNTAX = "E0105", "the text does not fit the grammar";
    BAD_STRING = "E0106", "a string without its end";
    TOO_DEEP = "E0107", "expressions nested too deeply";

    UNKNOWN_NAME = "E0201", "a name that is not declared";
    DUPLICATE_NAME = "E0202", "a name declared twice";
    SHADOWED = "E0203", "a name that hides another";
    RECURSION = "E0204", "a declaration that uses itself";
    UNKNOWN_ARGUMENT = "E0205", "an argument that the header does not have";
    MISSING_ARGUMENT = "E0206", "an argument that is missing";
    TOO_MANY_ARGUMENTS = "E0207", "more arguments than parameters";
    RESERVED_NAME = "E0208", "a name that is reserved or would read as a differential";
    UNKNOWN_SETTING = "E0209", "a setting that runs do not have";
    UNKNOWN_SOLVER = "E0210", "a solver that is not declared";
    UNKNOWN_FIELD = "E0211", "a field that the value does not have";
    UNUSED_STATE = "W0212", "a state without a rule that is never used";

    TYPE_MISMATCH = "E0301", "a value of another kind than is wanted here";
    SHAPE_MISMATCH = "E0302", "arrays whose shapes do not fit";
    BAD_INDEX = "E0303", "an index outside the array, or too many of them";
    NOT_CONSTANT = "E0304", "a value that must be known when the file is compiled";
    OUT_OF_RANGE = "E0305", "a value outside its declared range";
    SIZE_UNKNOWN = "E0306", "a size that nothing fixes";
    SIZE_CONFLICT = "E0307", "a size that two things fix differently";
    NOT_DIFFERENTIABLE = "E0308", "a derivative that cannot be taken";
    NOT_A_VARIABLE = "E0309", "a derivative with respect to something that is not a variable";
    WRONG_ARITY = "E0310", "a function called with the wrong number of arguments";
    EMPTY_RANGE = "E0311", "an empty range where a value is needed";

    NO_DIFFERENTIAL = "E0401", "a term of a flow without a differential";
    TWO_DIFFERENTIALS = "E0402", "a term of a flow with two differentials";
    MISSING_EQUATION = "E0403", "a component of a state without an equation";
    TWO_EQUATIONS = "E0404", "two equations for one state";
    SHARED_NOISE = "E0405", "an undeclared noise in two equations";
    BAD_CORRELATION = "E0406", "a matrix that is not a correlation or covariance";
    NOT_A_STATE = "E0407", "an equation for something that is not a state";
    BAD_CONVENTION = "E0408", "an unknown convention";
    SOLVER_MISFIT = "E0409", "a solver that does not fit the model";
    BAD_FORM = "E0410", "an unknown form of model";
    NO_FLOW = "E0411", "a model that does not move";
    NOT_DRAWABLE = "E0412", "a target that cannot be drawn from exactly";
    BAD_STEP_RULE = "E0413", "a step rule that does not renew its state";
    NOISE_MISUSE = "E0414", "a noise used in the wrong place";
    BAD_DENSITY = "E0415", "a target statement that is not a density";
    INCONSISTENT = "W0416", "a step rule that is not consistent";

    MISSING_SETTING = "E0501", "a run without a setting that it needs";
    BAD_TIME = "E0502", "a time that the run cannot use";
    OFF_GRID = "E0503", "a time that is not on the grid";
    BAD_STATISTIC = "E0504", "a statistic that cannot be computed here";
    BAD_SWEEP = "E0505", "a sweep of something that is not a parameter";
    BAD_SETTING = "E0506", "a setting whose value cannot be used";
    CHECK_FAILED = "E0507", "a check that does not hold";
    ALL_DIVERGED = "E0508", "every path diverged";
    AMBIGUOUS_PARAMETER = "E0509", "a parameter name that stands for several";
    NOT_INVARIANT = "E0510", "a target that the model does not leave invariant";
    NO_RUN = "W0511", "a file without a run";
    BAD_PLOT = "E0512", "a plot that cannot be drawn";

    FILE_NOT_FOUND = "E0601", "a file that cannot be read";
    MISSING_COLUMN = "E0602", "a column that the data do not have";
    BAD_CELL = "E0603", "a cell that is not a number";
    RAGGED = "E0604", "rows of different length";
    EMPTY_DATA = "E0605", "data without rows";
    CANNOT_WRITE = "E0606", "a file that cannot be written";
    BAD_MANIFEST = "E0607", "a manifest that cannot be repeated";

    UNSUPPORTED = "E0901", "a construct that is not supported yet";
}
