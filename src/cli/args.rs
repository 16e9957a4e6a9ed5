//! The arguments of every command.

use std::path::PathBuf;

use crate::output::number;
use clap::{Args, Parser, Subcommand, ValueEnum};

#[derive(Parser, Debug)]
#[command(
    name = "fokker",
    version,
    disable_help_subcommand = true,
    about = "A language and compiler for stochastic differential equations"
)]
pub struct Cli {
    /// Without one: the prompt
    #[command(subcommand)]
    pub command: Option<Command>,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// How diagnostics are written to stderr
    #[arg(long, global = true, value_enum, default_value_t = MessageFormat::Text)]
    pub message_format: MessageFormat,
    /// No bar that shows how far a run is
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// A folder with a standard library to use in place of the built-in one
    #[arg(long, global = true, value_name = "DIR")]
    pub stdlib: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the runs of a file and report their statistics
    Run(RunArgs),
    /// Run the checks of files; exit with 1 when one fails
    Test(TestArgs),
    /// Measure orders of convergence: the runs with `converge`
    Converge(RunArgs),
    /// Measure runs: path-steps a second, where the time goes, and what the machine would allow
    Bench(BenchArgs),
    /// Tell the structure of each model, the solvers that apply, and why others do not
    Check(CheckArgs),
    /// Print derived equations, the score, the generator and the Fokker-Planck equation
    Explain(ExplainArgs),
    /// Lay out files anew, in place; comments and line breaks stay
    Fmt(FmtArgs),
    /// Serve an editor by the Language Server Protocol, on stdin and stdout
    Lsp,
    /// List the solvers of the library, and of a file, with their forms, noises and orders
    Solvers(SolversArgs),
    /// Try the language at a prompt: expressions, declarations and runs
    Repl,
    /// Make a project to start from: a model that runs and checks itself
    New(NewArgs),
    /// Tell what is known of a function, a solver, a model, a word, or the code of a message
    Help(HelpArgs),
    /// Print the references of the methods that a file uses
    Cite(CiteArgs),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    Text,
    Json,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum BackendArg {
    /// the widest code that the machine and the program allow
    Auto,
    /// 256-bit code by AVX2 and FMA; Cranelift's for programs that have none
    Avx2,
    /// code by Cranelift, with 128-bit vectors
    Cranelift,
    /// no machine code
    Interpreter,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionArg {
    F32,
    F64,
}

#[derive(Args, Debug, Clone)]
pub struct Overrides {
    /// Set a parameter: `--set sigma=0.3`
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Number of paths of every run
    #[arg(long, value_parser = positive, allow_negative_numbers = true)]
    pub paths: Option<u64>,
    /// Seed of every run
    #[arg(long, value_parser = whole, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Solver of every run, with arguments if it takes some: `skrock`, `"skrock(stages = 7)"`
    #[arg(long)]
    pub solver: Option<String>,
    /// Step length of every run
    #[arg(long, value_parser = step, allow_negative_numbers = true)]
    pub step: Option<f64>,
    /// Threads (the numbers are the same for any)
    #[arg(long, value_parser = threads, allow_negative_numbers = true)]
    pub threads: Option<usize>,
    /// Precision of states and steps of every run
    #[arg(long, value_enum)]
    pub precision: Option<PrecisionArg>,
    /// Back end (the numbers are the same for each)
    #[arg(long, value_enum, default_value_t = BackendArg::Auto)]
    pub backend: BackendArg,
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    pub file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// the syntax tree, printed back
    Ast,
    /// the math graph of each step
    Ir,
    /// the step program
    Step,
    /// Cranelift's intermediate form
    Clif,
    /// machine code, of 256-bit vectors where there is such code for the program
    Asm,
}

#[derive(Args, Debug)]
pub struct ExplainArgs {
    pub file: PathBuf,
    /// LaTeX in place of text
    #[arg(long)]
    pub latex: bool,
    /// Print an inner form of the program
    #[arg(long, value_enum)]
    pub emit: Option<Emit>,
}

#[derive(Args, Debug)]
pub struct FmtArgs {
    /// Files; `-` formats stdin to stdout
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Write nothing; tell the files that differ, and exit with 1 if there are any
    #[arg(long)]
    pub check: bool,
}

#[derive(Args, Debug)]
pub struct SolversArgs {
    /// A file with further solvers
    pub file: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct NewArgs {
    /// The folder of the project, which is not there yet
    pub name: PathBuf,
}

#[derive(Args, Debug)]
pub struct HelpArgs {
    /// A name such as `sra1` or `quantile`, a code such as E0405, or a list such as `models`
    pub name: Option<String>,
    /// A file with further declarations
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct CiteArgs {
    pub file: PathBuf,
    /// As entries of BibTeX
    #[arg(long)]
    pub bibtex: bool,
}

#[derive(Args, Debug)]
pub struct RunArgs {
    #[arg(required_unless_present = "manifest")]
    pub file: Option<PathBuf>,
    /// Repeat the run of a manifest, bit for bit
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "paths", "seed", "solver", "step", "precision", "set"])]
    pub manifest: Option<PathBuf>,
    /// Only the run of this name (may be repeated)
    #[arg(long = "run", value_name = "NAME")]
    pub runs: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Folder for the files of `save` and `plot`
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    #[command(flatten)]
    pub plots: Plots,
    /// Write a page with the models as mathematics, results, plots and manifests
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    pub overrides: Overrides,
}

/// How plots are shown.
#[derive(Args, Debug)]
pub struct Plots {
    /// Colours of the files of `plot`
    #[arg(long, value_enum, default_value_t = PlotTheme::Light)]
    pub plot_theme: PlotTheme,
    /// Format of the files of `plot` that the program does not name
    #[arg(long, value_enum, default_value_t = PlotFormat::Svg)]
    pub plot_format: PlotFormat,
    /// Draw plots in the terminal, in place of files
    #[arg(long)]
    pub plot_terminal: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlotTheme {
    Light,
    Dark,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlotFormat {
    Svg,
    Png,
}

#[derive(Args, Debug)]
pub struct BenchArgs {
    pub file: PathBuf,
    /// Only the run of this name (may be repeated)
    #[arg(long = "run", value_name = "NAME")]
    pub runs: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub overrides: Overrides,
}

#[derive(Args, Debug)]
pub struct TestArgs {
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub overrides: Overrides,
}

/// A number of threads.
fn threads(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n >= 1).ok_or_else(|| "a whole number of at least 1".into())
}

/// A whole number as the language writes it: `100_000`.
fn whole(text: &str) -> Result<u64, String> {
    number::whole(text).ok_or_else(|| "a whole number that is not negative, such as 100_000 or 1e6".into())
}

fn positive(text: &str) -> Result<u64, String> {
    whole(text).and_then(|n| if n == 0 { Err("at least 1".into()) } else { Ok(n) })
}

/// A length of time.
fn step(text: &str) -> Result<f64, String> {
    let length = text.replace('_', "").parse().ok().filter(|h: &f64| *h > 0.0 && h.is_finite());
    length.ok_or_else(|| "a positive length of time, such as 1e-3".into())
}
