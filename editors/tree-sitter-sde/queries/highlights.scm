(comment) @comment
(doc_comment) @comment.documentation
(string) @string
(number) @number
(boolean) @boolean

(model name: (identifier) @type)
(target name: (identifier) @type)
(solver name: (identifier) @function)
(run name: (identifier) @namespace)
(fn name: (identifier) @function)
(const name: (identifier) @constant)
(data name: (identifier) @constant)
(parameter name: (identifier) @variable.parameter)
(lambda_parameters (identifier) @variable.parameter)
(type name: (identifier) @type)
(state name: (identifier) @property)
(noise name: (identifier) @property)
(setting name: (identifier) @property)
(named_argument name: (identifier) @variable.parameter)
(flow differential: (identifier) @variable.special)
(juxtaposition differential: (identifier) @variable.special)
(call function: (identifier) @function.call)
(field name: (identifier) @property)

["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," ";" ":"] @punctuation.delimiter
["=" "~" "->" ".." "+" "-" "*" "/" "@" "^" "<" "<=" ">" ">=" "==" "!=" "∘" "'"] @operator

; made from the tables of the sources: UPDATE=1 cargo test --test editors

[
  "at" "by" "check" "const" "convention" "converge" "correlation" "covariance" "data" "else" "error"
  "estimate" "every" "first" "fn" "for" "from" "if" "in" "init" "last" "let" "log_density" "maximise"
  "minimise" "model" "noise" "on" "order" "over" "part" "phase" "plot" "potential" "rate" "report" "return"
  "run" "save" "solve" "solver" "state" "step" "steps" "sweep" "target" "then" "to" "tol" "train" "use"
  "weight" "when" "with"
] @keyword

(stop) @keyword

[
  "and" "or" "not"
] @keyword.operator

((call function: (identifier) @function.builtin)
 (#any-of? @function.builtin
  "abs" "accept" "acos" "all" "any" "append" "argmax" "argmin" "asin" "atan" "atan2" "avg" "bessel_ratio"
  "cbrt" "ceil" "cholesky" "clamp" "cos" "cosh" "cross" "csv" "ddt" "det" "diag" "digamma" "div" "dot"
  "empirical" "equal_in" "erf" "erfc" "erfinv" "exp" "expect" "expm" "expm1" "eye" "floor" "gamma_p"
  "geometric" "grad" "hessian" "hvp" "integral" "inv" "jacobian" "jvp" "karras" "laplacian" "lgamma"
  "linspace" "log" "log1p" "log_i0" "logaddexp" "logdet" "logit" "logpdf" "logsumexp" "max" "min" "mixture"
  "mod" "norm" "ones" "outer" "polygamma" "potential" "prod" "product" "roll" "sample" "scale" "score" "shift"
  "sigmoid" "sign" "sin" "sinh" "softmax" "softplus" "solve" "sort" "sqrt" "standardize" "stop_grad" "sum"
  "tan" "tanh" "temper" "tilt" "trace" "vjp" "with_intercept" "zeros"))

((call function: (identifier) @type.builtin)
 (#any-of? @type.builtin
  "bernoulli" "bernoulli_logit" "beta" "binomial" "categorical_logit" "cauchy" "dirichlet" "exponential"
  "gamma" "gaussian" "inverse_gamma" "laplace" "lognormal" "multivariate_normal" "normal" "poisson"
  "student_t" "uniform" "von_mises"))

((call function: (identifier) @function.macro)
 (#any-of? @function.macro
  "acceptance" "autocorr" "corr" "cov" "divergences" "ess" "histogram" "invariant" "kurtosis" "mean" "prob"
  "quantile" "rhat" "se" "skewness" "std" "strong_order" "var" "weak_order"))

((plot (call function: (identifier) @function.builtin))
 (#any-of? @function.builtin
  "animation" "autocorr" "convergence" "density" "fan" "histogram" "image" "ladder" "paths" "phase" "rank"
  "scatter" "trace" "work_precision"))

; end of what is made
