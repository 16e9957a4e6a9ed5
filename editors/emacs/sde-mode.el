;;; sde-mode.el --- Major mode for Fokker programs -*- lexical-binding: t; -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "29.1"))
;; Keywords: languages

;;; Commentary:

;; Colours, comments and indentation for `.sde' files.  With `eglot-ensure' in `sde-mode-hook' the language server
;; `fokker lsp' adds diagnostics, hover, completion, renaming and formatting.

;;; Code:

;; made from the tables of the sources: UPDATE=1 cargo test --test editors
(defconst sde--keywords
  '("at" "by" "check" "const" "convention" "converge" "correlation" "covariance" "data" "else" "error"
    "estimate" "every" "first" "fn" "for" "from" "if" "in" "init" "last" "let" "log_density" "maximise"
    "minimise" "model" "noise" "on" "order" "over" "part" "phase" "plot" "potential" "rate" "report" "return"
    "run" "save" "solve" "solver" "state" "step" "steps" "stop" "sweep" "target" "then" "to" "tol" "train"
    "use" "weight" "when" "with" "and" "or" "not")
  "Words of the language.")

(defconst sde--functions
  '("abs" "accept" "acos" "all" "any" "append" "argmax" "argmin" "asin" "atan" "atan2" "avg" "bessel_ratio"
    "cbrt" "ceil" "cholesky" "clamp" "cos" "cosh" "cross" "csv" "ddt" "det" "diag" "digamma" "div" "dot"
    "empirical" "equal_in" "erf" "erfc" "erfinv" "exp" "expect" "expm" "expm1" "eye" "floor" "gamma_p"
    "geometric" "grad" "hessian" "hvp" "integral" "inv" "jacobian" "jvp" "karras" "laplacian" "lgamma"
    "linspace" "log" "log1p" "log_i0" "logaddexp" "logdet" "logit" "logpdf" "logsumexp" "max" "min" "mixture"
    "mod" "norm" "ones" "outer" "polygamma" "potential" "prod" "product" "roll" "sample" "scale" "score"
    "shift" "sigmoid" "sign" "sin" "sinh" "softmax" "softplus" "solve" "sort" "sqrt" "standardize" "stop_grad"
    "sum" "tan" "tanh" "temper" "tilt" "trace" "vjp" "with_intercept" "zeros")
  "Functions and operators.")

(defconst sde--laws
  '("bernoulli" "bernoulli_logit" "beta" "binomial" "categorical_logit" "cauchy" "dirichlet" "exponential"
    "gamma" "gaussian" "inverse_gamma" "laplace" "lognormal" "multivariate_normal" "normal" "poisson"
    "student_t" "uniform" "von_mises")
  "Distributions.")

(defconst sde--statistics
  '("acceptance" "autocorr" "corr" "cov" "divergences" "ess" "histogram" "invariant" "kurtosis" "mean" "prob"
    "quantile" "rhat" "se" "skewness" "std" "strong_order" "var" "weak_order")
  "Statistics of runs.")

(defconst sde--solvers
  '("aboba" "adams_bashforth_2" "adams_bashforth_3" "adams_bashforth_4" "align" "auto" "balanced_euler"
    "balanced_milstein" "baoab" "barker" "bosh3" "dopri5" "dopri8" "dri1" "drift_implicit_euler" "etd1"
    "etdrk2" "euler" "euler_heun" "euler_maruyama" "exact" "exponential_euler" "forest_ruth" "full_truncation"
    "general_shark" "ghmc" "gjf" "heun" "hmc" "implicit_midpoint" "klmc" "lamperti_cir" "leapfrog" "log_ode"
    "mala" "malt" "midpoint" "milstein" "milstein_balanced" "ninomiya_victoir" "obabo" "platen" "platen_15"
    "platen_weak_2" "projected_euler" "quadratic_exponential" "quicsort" "ralston" "randomized_midpoint"
    "rdi1wm" "reversible_heun" "ri1" "rk4" "rs1" "rs2" "rwm" "s_rock1" "s_rock2" "sea" "shark" "should"
    "simplified_euler" "skrock" "slow_rk" "sort_uld" "sosra" "sosra2" "sosri" "spark" "split"
    "split_step_backward_euler" "sra1" "sra2" "sra3" "sri1w1" "sri2w1" "sriw1" "sriw2" "stochastic_theta"
    "symplectic_euler" "tamed_euler" "tamed_milstein" "taylor_15" "truncated_euler" "tsit5" "tula" "ubu" "ula"
    "vec")
  "Solvers of the standard library.")

(defconst sde--settings
  '("model" "solver" "time" "paths" "seed" "precision" "threads" "noise")
  "Settings of runs.")

(defconst sde--plots
  '("animation" "autocorr" "convergence" "density" "fan" "histogram" "image" "ladder" "paths" "phase" "rank"
    "scatter" "trace" "work_precision")
  "Kinds of plots.")

;; end of what is made

(defgroup sde nil
  "Fokker programs."
  :group 'languages)

(defcustom sde-indent 2
  "Columns for each brace around a line."
  :type 'integer)

(defvar sde-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?# "<" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?\" "\"" table)
    (modify-syntax-entry ?' "." table)
    (modify-syntax-entry ?_ "w" table)
    (dolist (operator '(?+ ?- ?* ?/ ?^ ?@ ?< ?> ?= ?~))
      (modify-syntax-entry operator "." table))
    table))

(defvar sde-font-lock-keywords
  `((,(rx line-start (* space)
          (group (or "target" "model" "solver" "run" "fn" "const" "data" "state" "weight" "noise" "part" "let"))
          (+ space) (group (+ (any alnum "_"))))
     (1 font-lock-keyword-face) (2 font-lock-variable-name-face))
    (,(concat "\\(?:^\\|[{;]\\)[ \t]*" (regexp-opt sde--settings t) "[ \t]*=") 1 font-lock-variable-name-face)
    (,(rx (or line-start (any "{;")) (* space) "plot" word-end)
     (,(concat (regexp-opt sde--plots 'words) "(") nil nil (1 font-lock-builtin-face)))
    (,(concat (regexp-opt (append sde--functions sde--laws sde--statistics) 'words) "(") 1 font-lock-builtin-face)
    (,(regexp-opt sde--solvers 'words) . font-lock-function-name-face)
    (,(regexp-opt sde--keywords 'words) . font-lock-keyword-face)
    (,(rx word-start (or "real" "int" "bool") word-end) . font-lock-type-face)
    (,(rx word-start (or "true" "false" "pi" "inf") word-end) . font-lock-constant-face)))

(defun sde-indent-line ()
  "Indent the line by the braces around it."
  (interactive)
  (let* ((state (save-excursion (syntax-ppss (line-beginning-position))))
         (closes (save-excursion (back-to-indentation) (looking-at-p "[])}]")))
         (depth (max 0 (- (car state) (if closes 1 0)))))
    (save-excursion (indent-line-to (* sde-indent depth)))
    (when (< (current-column) (current-indentation))
      (back-to-indentation))))

;;;###autoload
(define-derived-mode sde-mode prog-mode "Fokker"
  "Major mode for programs of Fokker."
  (setq-local comment-start "# ")
  (setq-local comment-start-skip "#+ *")
  (setq-local indent-line-function #'sde-indent-line)
  (setq-local font-lock-defaults '(sde-font-lock-keywords)))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.sde\\'" . sde-mode))

(defvar eglot-server-programs)
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '(sde-mode . ("fokker" "lsp"))))

(provide 'sde-mode)
;;; sde-mode.el ends here
