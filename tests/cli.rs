//! The command line as a program meets it: exit codes, JSON, overrides, messages for machines.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const OU: &str = "model m(k = 1.0) { state x = 1.0; dx = -k*x dt + 0.1 dW }
run one {
  model = m()
  solver = euler_maruyama
  time = 0 .. 1 step 0.1
  paths = 64
  report mean(x), mean([x, 2*x]) at 0.5
  save x every 0.5 first 2 to \"one.csv\"
  check mean(x) < 1
}
run two { model = m(); solver = euler_maruyama; time = 0 .. 1 step 0.1; paths = 8; report mean(x) }
";

/// A folder of its own for one test, removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("fokker-cli-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary folder can be written");
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("the temporary folder can be written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn fokker(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fokker")).current_dir(folder).args(args).output().expect("fokker starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&out(output)).unwrap_or_else(|e| panic!("{e}: {}{}", out(output), err(output)))
}

/// The rows are there and the numbers hang together; what they are is the machine's.
#[test]
fn bench_tells_where_the_time_goes() {
    let folder = Folder::new("bench");
    folder.write("ou.sde", OU);
    let text = out(&fokker(&folder.0, &["bench", "ou.sde", "--run", "two"]));
    for row in ["two  euler_maruyama: ", "noise", "step", "statistics", "driver", "arithmetic", "memory", "bound"] {
        assert!(text.lines().any(|l| l.trim_start().starts_with(row)), "{row} in\n{text}");
    }
    let measured = json(&fokker(&folder.0, &["bench", "ou.sde", "--json"]));
    let runs = measured["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 2, "{measured}");
    for run in runs {
        assert_eq!((&run["normals"], &run["uniforms"]), (&Value::from(1), &Value::from(0)));
        assert!(run["path_steps_per_second"].as_f64().is_some_and(|r| r > 0.0), "{run}");
        let ns = |name: &str| run["ns"][name].as_f64().expect("a number");
        assert!(ns("all") > 0.0 && ns("noise") > 0.0 && ns("step") > 0.0 && ns("statistics") >= 0.0, "{run}");
        assert!(run["bound"]["all"].as_f64().is_some_and(|b| b > 0.0), "{run}");
    }
    let drawn = folder.write(
        "drawn.sde",
        "target p on x: real { x ~ normal(0, 1) }\nrun d { model = p(); paths = 10; report mean(x) }",
    );
    let refused = fokker(&folder.0, &["bench", &drawn.to_string_lossy()]);
    assert_eq!(code(&refused), 2);
    assert!(err(&refused).contains("no steps to measure"), "{}", err(&refused));
}

#[test]
fn exit_codes_tell_what_happened() {
    let folder = Folder::new("codes");
    folder.write("ok.sde", OU);
    folder.write("fails.sde", &OU.replace("mean(x) < 1", "mean(x) > 1"));
    folder.write("wrong.sde", &OU.replace("-k*x", "-kk*x"));
    let boom = "model boom() { state x = 1e200; dx = x^3 dt }";
    let run = "run r { model = boom(); solver = euler_maruyama; time = 0 .. 1 step 0.1; report mean(x) }";
    folder.write("boom.sde", &format!("{boom}\n{run}\n"));
    let kernel = "target bell() on x: real { x ~ normal(0, 1) }\n\
                  run r { model = bell(); solver = ula(h = 0.1); time = 9 steps; report acceptance() }\n";
    folder.write("no_acceptance.sde", kernel);
    for (args, expected) in [
        (&["run", "ok.sde"][..], 0),
        (&["test", "ok.sde"], 0),
        (&["check", "ok.sde"], 0),
        (&["explain", "ok.sde"], 0),
        (&["run", "fails.sde"], 1),
        (&["test", "ok.sde", "fails.sde"], 1),
        (&["run", "wrong.sde"], 2),
        (&["check", "wrong.sde"], 2),
        (&["run", "no-such-file.sde"], 2),
        (&["run"], 2),
        (&["no-such-command"], 2),
        (&["check", "no_acceptance.sde"], 2),
        (&["run", "no_acceptance.sde"], 2),
        (&["run", "boom.sde"], 3),
        (&["--version"], 0),
    ] {
        let output = fokker(&folder.0, args);
        assert_eq!(code(&output), expected, "{args:?}\n{}{}", out(&output), err(&output));
    }
}

/// Solvers of one name are told apart by their arguments, in orders they have their names.
#[test]
fn solvers_of_one_name_are_told_with_their_arguments() {
    let folder = Folder::new("titles");
    let program = "target bell() on x: real { potential x^2/2 }\n\
        model two() {\n state x = 1.0; state v = 0.0\n part A { dx = v dt }\n part B { dv = -x dt + dW }\n}\n\
        const mild = mala(h = 0.2)\n\
        run one { model = bell(); solver = [hmc(h = 0.1), hmc(h = 0.3), rwm, mild]; time = 2 steps; paths = 9 }\n\
        run two { model = bell(); solver = mala(h = 0.1); time = 2 steps; paths = 1 }\n\
        run set { model = bell(); solver = [mala(h = 0.1), ula]; sweep h = [0.5, 1]; time = 2 steps; paths = 9 }\n\
        run cut { model = two(); solver = [split([A, B]), split([A, B], A = rk4)]; time = 0 .. 1 step 0.5; paths = 9 }\n\
        run all { model = gbm(); solver = [euler_maruyama, milstein]; time = 0 .. 1; paths = 99\n\
        converge steps = [4, 8, 16], reference = 32; check strong_order(milstein) > strong_order(euler_maruyama) - 1 }\n";
    folder.write("titles.sde", program);
    let output = fokker(&folder.0, &["run", "titles.sde", "--json"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let runs = json(&output);
    let told: Vec<&str> = runs["runs"].as_array().expect("runs").iter().filter_map(|r| r["solver"].as_str()).collect();
    let expected = [
        "hmc(h = 0.1)",
        "hmc(h = 0.3)",
        "rwm",
        "mala",
        "mala",
        "mala(h = 0.1)",
        "ula",
        "mala(h = 0.1)",
        "ula",
        "split([A, B])",
        "split([A, B], A = rk4)",
        "euler_maruyama",
        "milstein",
    ];
    assert_eq!(told, expected);
    let output = fokker(&folder.0, &["run", "titles.sde", "--run", "two", "--paths", "1e2"]);
    assert!(out(&output).starts_with("two  bell by mala: 100 paths of 2 steps"), "{}", out(&output));
}

/// A value of the command line that is out of range is told of the option, not of the default.
#[test]
fn what_is_set_out_of_range_names_the_option() {
    let folder = Folder::new("range");
    let run = "run r { model = gbm(); solver = exact; time = 0 .. 1 step 0.5; paths = 1; report mean(x) }\n";
    folder.write("gbm.sde", run);
    let output = fokker(&folder.0, &["run", "gbm.sde", "--set", "sigma=-1"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("`--set sigma=-1`: `sigma` = -1 is outside its range"), "{}", err(&output));
    assert!(!err(&output).contains("this value"), "{}", err(&output));
}

/// Of a program that is refused nothing is counted.
#[test]
fn a_test_of_a_wrong_program_counts_nothing() {
    let folder = Folder::new("uncounted");
    folder.write("wrong.sde", &OU.replace("-k*x", "-kk*x"));
    folder.write("ok.sde", OU);
    let output = fokker(&folder.0, &["test", "wrong.sde"]);
    assert_eq!((code(&output), out(&output).as_str()), (2, ""));
    let output = fokker(&folder.0, &["test", "wrong.sde", "ok.sde"]);
    assert_eq!((code(&output), out(&output).as_str()), (2, "ok.sde: 1 of 1 checks hold\n1 passed, 0 failed\n"));
}

#[test]
fn json_has_the_documented_shape() {
    let folder = Folder::new("json");
    folder.write("ou.sde", OU);
    let output = fokker(&folder.0, &["run", "ou.sde", "--json", "--seed", "7"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let all = json(&output);
    assert_eq!(all["fokker"], env!("CARGO_PKG_VERSION"));
    assert_eq!(all["file"], "ou.sde");
    let runs = all["runs"].as_array().expect("runs");
    assert_eq!(runs.iter().map(|r| r["name"].as_str().unwrap_or("")).collect::<Vec<_>>(), ["one", "two"]);
    let run = &runs[0];
    assert_eq!((&run["model"], &run["solver"]), (&"m".into(), &"euler_maruyama".into()));
    assert_eq!((&run["paths"], &run["steps"], &run["seed"]), (&64.into(), &10.into(), &7.into()));
    for key in ["seconds", "compile_seconds", "path_steps_per_second", "diverged"] {
        assert!(run[key].is_number(), "{key} in {run}");
    }
    let reports = run["reports"].as_array().expect("reports");
    assert_eq!((&reports[0]["expr"], &reports[0]["at"]), (&"mean(x)".into(), &0.5.into()));
    assert!(reports[0]["value"].is_number() && reports[0]["se"].is_number());
    let array = &reports[1];
    assert_eq!(array["value"].as_array().map(Vec::len), Some(2), "an array is a list: {array}");
    assert_eq!(array["se"].as_array().map(Vec::len), Some(2), "and its errors are: {array}");
    let check = &run["checks"][0];
    assert_eq!(check["passed"], true);
    assert!(check["left"].is_number() && check["right"].is_number(), "{check}");
}

#[test]
fn parameters_are_set_by_name() {
    let folder = Folder::new("set");
    folder.write("ou.sde", OU);
    let mean = |k: &str| {
        let output = fokker(&folder.0, &["run", "ou.sde", "--run", "two", "--json", "--set", k]);
        assert_eq!(code(&output), 0, "{}", err(&output));
        json(&output)["runs"][0]["reports"][0]["value"].as_f64().expect("a number")
    };
    // Euler's mean is (1 - k h)^10; the spread of a mean of eight paths is below 0.04.
    assert!((mean("k=0") - 1.0).abs() < 0.15);
    assert!((mean("k=5") - 0.5f64.powi(10)).abs() < 0.15);
    for wrong in ["q=1", "k", "k=much"] {
        let output = fokker(&folder.0, &["run", "ou.sde", "--set", wrong]);
        assert_eq!(code(&output), 2, "{wrong}: {}{}", out(&output), err(&output));
    }
}

#[test]
fn a_run_that_does_not_exist_is_an_error_with_the_near_one() {
    let folder = Folder::new("unknown-run");
    folder.write("ou.sde", OU);
    let output = fokker(&folder.0, &["run", "ou.sde", "--run", "tow"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("did you mean `two`?"), "{}", err(&output));
}

#[test]
fn what_is_wrong_in_another_run_is_no_obstacle() {
    let folder = Folder::new("another");
    let bad = OU.lines().find(|l| l.starts_with("run two")).expect("a run").replace("run two", "run bad");
    folder.write("two.sde", &format!("{OU}{}\n", bad.replace("mean(x)", "mean(y)")));
    let one = fokker(&folder.0, &["run", "two.sde", "--run", "two"]);
    assert_eq!(code(&one), 0, "{}", err(&one));
    for args in [&["run", "two.sde"][..], &["run", "two.sde", "--run", "bad"], &["check", "two.sde"]] {
        let told = fokker(&folder.0, args);
        assert!(code(&told) != 0 && err(&told).contains("`y`"), "{args:?} {}", err(&told));
    }
}

#[test]
fn a_file_without_a_run_is_not_passed_over_in_silence() {
    let folder = Folder::new("no-run");
    folder.write("good.sde", "model m() { state x = 1.0; dx = -x dt }\n");
    folder.write("bad.sde", "model m() { state x = 1.0; dx = -x }\n");
    let good = fokker(&folder.0, &["run", "good.sde"]);
    assert_eq!(code(&good), 0);
    assert!(err(&good).contains("W0511"), "{}", err(&good));
    let bad = fokker(&folder.0, &["run", "bad.sde"]);
    assert_eq!(code(&bad), 2);
    assert!(err(&bad).contains("E0401") && !err(&bad).contains("W0511"), "{}", err(&bad));
}

#[test]
fn a_missing_file_is_named() {
    let folder = Folder::new("missing");
    let output = fokker(&folder.0, &["run", "nowhere.sde"]);
    assert_eq!(code(&output), 2);
    assert_eq!(err(&output), "error[E0601]: cannot read `nowhere.sde`: there is no such file\n\n");
}

#[test]
fn diagnostics_for_machines_are_one_object_a_line() {
    let folder = Folder::new("messages");
    folder.write("wrong.sde", &OU.replace("-k*x", "-kk*x"));
    let output = fokker(&folder.0, &["run", "wrong.sde", "--message-format", "json"]);
    assert_eq!(code(&output), 2);
    let text = err(&output);
    let objects: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    let d = objects.first().expect("a diagnostic");
    assert_eq!((&d["code"], &d["severity"]), (&"E0201".into(), &"error".into()));
    assert_eq!((&d["file"], &d["line"]), (&"wrong.sde".into(), &1.into()));
    assert!(d["column"].is_number() && d["labels"].is_array() && d["message"].is_string(), "{d}");
}

#[test]
fn threads_and_back_ends_do_not_change_the_numbers() {
    let folder = Folder::new("same");
    folder.write("ou.sde", OU);
    let reports = |more: &[&str]| {
        let mut args = vec!["run", "ou.sde", "--json", "--paths", "1_000"];
        args.extend(more);
        let output = fokker(&folder.0, &args);
        assert_eq!(code(&output), 0, "{}", err(&output));
        json(&output)["runs"][0]["reports"].clone()
    };
    let first = reports(&["--threads", "1"]);
    assert_eq!(reports(&["--threads", "3"]), first);
    assert_eq!(reports(&["--backend", "interpreter"]), first);
    assert_eq!(reports(&["--backend", "cranelift"]), first);
}

#[test]
fn single_precision_is_asked_for_told_and_repeated() {
    let folder = Folder::new("single");
    folder.write("ou.sde", OU);
    let output = fokker(&folder.0, &["run", "ou.sde", "--run", "one", "--json", "--precision", "f32"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(json(&output)["runs"][0]["precision"], "f32");
    let saved = std::fs::read_to_string(folder.0.join("one.csv")).expect("the saved paths");
    let manifest = std::fs::read_to_string(folder.0.join("one.manifest.json")).expect("the manifest");
    assert!(manifest.contains(r#""precision": "f32""#), "{manifest}");
    let output = fokker(&folder.0, &["run", "--manifest", "one.manifest.json", "--out", "again"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(std::fs::read_to_string(folder.0.join("again/one.csv")).expect("the repeated paths"), saved);
    // every number that is saved is one of single precision
    for number in saved.lines().skip(1).flat_map(|line| line.split(',').skip(2)) {
        let x: f64 = number.parse().expect("a number");
        assert_eq!(x, f64::from(x as f32), "{number}");
    }
    let output = fokker(&folder.0, &["run", "ou.sde", "--run", "one"]);
    assert!(!out(&output).contains("f32"), "{}", out(&output));
    assert_ne!(std::fs::read_to_string(folder.0.join("one.csv")).expect("paths of double precision"), saved);
}

#[test]
fn saved_paths_and_their_manifest_repeat() {
    let folder = Folder::new("manifest");
    folder.write("ou.sde", OU);
    let output = fokker(&folder.0, &["run", "ou.sde", "--run", "one", "--seed", "5"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let saved = std::fs::read_to_string(folder.0.join("one.csv")).expect("the saved paths");
    // Two paths at t = 0, 0.5 and 1, and a header.
    assert_eq!(saved.lines().next(), Some("path,t,x"));
    assert_eq!(saved.lines().count(), 7);
    let output = fokker(&folder.0, &["run", "--manifest", "one.manifest.json", "--out", "again"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(std::fs::read_to_string(folder.0.join("again/one.csv")).expect("the repeated paths"), saved);
    folder.write("ou.sde", &OU.replace("0.1 dW", "0.2 dW"));
    let output = fokker(&folder.0, &["run", "--manifest", "one.manifest.json"]);
    assert_eq!(code(&output), 2, "a source that has changed: {}", out(&output));
}

#[test]
fn what_can_be_told_before_a_run_is_told_before_any_run_begins() {
    let folder = Folder::new("before");
    folder.write(
        "ou.sde",
        &format!(
            "{OU}run three {{ model = m(); solver = euler_maruyama; time = 0 .. 1 step 0.1; report mean(x) at 0.55 }}\n"
        ),
    );
    let output = fokker(&folder.0, &["run", "ou.sde"]);
    assert_eq!((code(&output), out(&output).as_str()), (2, ""), "{}", err(&output));
    assert!(err(&output).contains("E0503"), "{}", err(&output));
    assert!(!folder.0.join("one.csv").exists());
}

#[test]
fn what_cannot_be_overridden_is_refused() {
    let folder = Folder::new("refused");
    folder.write("ou.sde", OU);
    folder.write("chain.sde", "run r { model = banana(); solver = mala; time = 10 steps }");
    for args in [["ou.sde", "--paths", "0"], ["ou.sde", "--threads", "0"], ["chain.sde", "--step", "0.1"]] {
        let output = fokker(&folder.0, &[&["run"], &args[..]].concat());
        assert_eq!(code(&output), 2, "{args:?}: {}", out(&output));
    }
    // A mistake that all runs share is told once.
    let output = fokker(&folder.0, &["run", "ou.sde", "--set", "kk=2"]);
    assert_eq!(code(&output), 2);
    assert_eq!(err(&output).matches("is not a parameter").count(), 1, "{}", err(&output));
}

#[test]
fn a_parameter_is_set_in_the_runs_that_have_it() {
    let folder = Folder::new("set");
    let other =
        "run three(h = 0.1) { model = m(k = 2); solver = euler_maruyama; time = 0 .. 1 step h; report mean(x) }\n";
    folder.write("ou.sde", &format!("{OU}{other}"));
    let steps = |args: &[&str]| {
        let output = fokker(&folder.0, &[&["run", "ou.sde", "--json"], args].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
        let runs = json(&output)["runs"].clone();
        (0..3).map(|k| runs[k]["steps"].as_u64().expect("a number of steps")).collect::<Vec<_>>()
    };
    assert_eq!(steps(&[]), [10, 10, 10]);
    assert_eq!(steps(&["--set", "h=0.05"]), [10, 10, 20]);
}

#[test]
fn manifests_hold_from_any_folder_and_with_their_data() {
    let folder = Folder::new("data");
    folder.write("d.csv", "a\n1\n2\n3\n");
    let text = "data a: real[n] = csv(\"d.csv\", column = \"a\")
model m() { state x = 0.0; dx = mean(a)*dt + dW }
run r { model = m(); solver = euler_maruyama; time = 0 .. 1 step 0.5; paths = 8; save x first 8 to \"x.csv\" }
";
    folder.write("m.sde", &text.replace("mean(a)", "sum(a)"));
    let output = fokker(&folder.0, &["run", "m.sde", "--out", "results"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let manifest = folder.0.join("results/r.manifest.json").display().to_string();
    let repeat = |code_wanted: i32| {
        let output = fokker(
            Path::new("/"),
            &["run", "--manifest", &manifest, "--out", &manifest.replace("r.manifest.json", "again")],
        );
        assert_eq!(code(&output), code_wanted, "{}", err(&output));
        err(&output)
    };
    repeat(0);
    let read = |name: &str| std::fs::read_to_string(folder.0.join(name)).expect("saved paths");
    assert_eq!(read("results/again/x.csv"), read("results/x.csv"));
    folder.write("d.csv", "a\n1\n2\n4\n");
    assert!(repeat(2).contains("d.csv"));
}

/// Statistics of one run are not independent: x + y has no noise here, x - y twice that of x.
#[test]
fn errors_of_formulas_see_the_noise_that_statistics_share() {
    let folder = Folder::new("formulas");
    let text = "model m() {
  state x = 1.0
  state y = 1.0
  noise W: wiener
  dx = -x dt + dW
  dy = -y dt - dW
}
run r {
  model = m(); solver = euler_maruyama; time = 0 .. 1 step 0.1; paths = 4000
  report mean(x), mean(x) + mean(y), mean(x) - mean(y), 3*mean(x) + 1, quantile(x, 0.5) - quantile(y, 0.5), std(x)/std(y), 2
}
";
    folder.write("m.sde", text);
    let output = fokker(&folder.0, &["run", "m.sde", "--json"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let reports = json(&output)["runs"][0]["reports"].clone();
    let se = |k: usize| reports[k]["se"].as_f64().expect("a standard error");
    let mean = se(0);
    assert!(se(1) < 1e-12, "the noises cancel: {}", se(1));
    // 32 groups: an error is known to one part in eight, so 4 of those.
    let near = |a: f64, b: f64| (a / b - 1.0).abs() < 0.5;
    assert!(near(se(2), 2.0 * mean), "{} for twice {mean}", se(2));
    assert!((se(3) / (3.0 * mean) - 1.0).abs() < 1e-9, "one statistic: its own error, scaled");
    // The median of a normal has the variance pi/2 of the mean's.
    assert!(near(se(4), 2.0 * mean * (std::f64::consts::PI / 2.0).sqrt()), "{}", se(4));
    assert!(se(5) < 1e-12, "one is the mirror image of the other: {}", se(5));
    assert_eq!(se(6), 0.0);
}

#[test]
fn the_catalogue_lists_solvers_of_the_library_and_of_a_file() {
    let folder = Folder::new("solvers");
    folder.write(
        "own.sde",
        "## Mine. More of it.\nsolver mine() on ito(a, b) for additive {\n  order strong = 1\n  step { x' = x }\n}\n",
    );
    let output = fokker(&folder.0, &["solvers", "own.sde", "--json"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let all = json(&output)["solvers"].as_array().expect("a list").clone();
    let named = |name: &str| all.iter().filter(|s| s["name"] == name).cloned().collect::<Vec<_>>();
    let mine = &named("mine")[0];
    assert_eq!((&mine["form"], &mine["noise"], &mine["summary"]), (&"ito".into(), &"additive".into(), &"Mine.".into()));
    assert_eq!(mine["orders"][0]["strong"], 1.0);
    assert_eq!(mine["orders"][0].get("weak"), None);
    let noises: Vec<_> = named("milstein").iter().map(|s| s["noise"].clone()).collect();
    assert_eq!(noises, ["scalar", "diagonal", "commutative", "any"]);
    assert_eq!((&named("tsit5")[0]["adaptive"], &named("rk4")[0]["adaptive"]), (&true.into(), &false.into()));
    assert_eq!(named("sri1w1")[0]["alias"], "sriw1()");
    let text = out(&fokker(&folder.0, &["solvers"]));
    let row = text.lines().find(|l| l.starts_with("baoab ")).expect("a row").split_whitespace().collect::<Vec<_>>();
    assert_eq!(row[..7], ["baoab", "kinetic", "any", "1", "2", "BAOAB", "splitting"], "{text}");
}

/// What is wrong with the command line is told of it, once, and not of a place in the file.
#[test]
fn faults_of_the_command_line_are_not_told_of_the_file() {
    let folder = Folder::new("faults");
    folder.write("ou.sde", OU);
    for (args, wanted) in [
        (["--solver", "nope"], "`--solver nope`: "),
        (["--solver", "skrock(depth = 3)"], "`--solver skrock(depth = 3)`: "),
        (["--solver", "skrock("], "`--solver skrock(`: "),
        (["--set", "s"], "`--set s`: "),
        (["--set", "k=abc"], "`--set k=abc`: "),
        (["--seed", "-1"], "whole number"),
    ] {
        let output = fokker(&folder.0, &["run", "ou.sde", args[0], args[1]]);
        let told = err(&output);
        assert_eq!(code(&output), 2, "{args:?}: {told}");
        assert_eq!(told.matches(wanted).count(), 1, "{args:?}: {told}");
        assert!(!told.contains("ou.sde:"), "{args:?}: {told}");
    }
    let output = fokker(&folder.0, &["run", "ou.sde", "--run", "two", "--solver", "skrock(stages = 7)", "--json"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(json(&output)["runs"][0]["solver"], "skrock");
}

/// A file that cannot be written is told at its `save`, before any path is run.
#[test]
fn files_that_cannot_be_written_are_told_first() {
    let folder = Folder::new("unwritable");
    folder.write("blocked", "a file, and no folder");
    let save = "run r { model = ou(); solver = euler; sweep sigma = [0, 0]; time = 0 .. 1 step 0.5; paths = 2\n  save x to \"x.csv\" }";
    folder.write("m.sde", &save.replace("euler;", "euler_maruyama;"));
    let output = fokker(&folder.0, &["run", "m.sde", "--out", "blocked"]);
    let told = err(&output);
    assert_eq!(code(&output), 2, "{told}");
    assert_eq!(told.matches("E0606").count(), 1, "{told}");
    assert!(told.contains("m.sde:2:"), "{told}");
    assert!(out(&output).is_empty(), "{}", out(&output));
    let output = fokker(&folder.0, &["run", "m.sde", "--out", "new/folder"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(folder.0.join("new/folder/x-1.csv").exists());
}

/// A target that no dynamics is made over has facts of its own.
#[test]
fn targets_under_kernels_are_told_of() {
    let folder = Folder::new("targets");
    folder.write("m.sde", "run r { model = banana(); solver = mala; time = 10 steps }");
    let text = out(&fokker(&folder.0, &["check", "m.sde"]));
    assert!(text.contains("target banana (run r)") && text.contains("mala"), "{text}");
    let told = json(&fokker(&folder.0, &["check", "m.sde", "--json"]));
    assert_eq!(told["targets"][0]["name"], "banana");
    let text = out(&fokker(&folder.0, &["explain", "m.sde"]));
    assert!(text.contains("log(p)") && text.contains("kernels that apply"), "{text}");
}

/// A new project runs and its checks hold; nothing is written over.
#[test]
fn a_new_project_checks_itself() {
    let folder = Folder::new("new");
    let output = fokker(&folder.0, &["new", "wells"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    for file in ["wells.sde", "README.md", ".gitignore"] {
        let text = std::fs::read_to_string(folder.0.join("wells").join(file)).expect("a file of the project");
        assert!(!text.contains("NAME.sde"), "{file}: {text}");
    }
    let output = fokker(&folder.0.join("wells"), &["test", "wells.sde"]);
    assert_eq!((code(&output), out(&output).contains("2 passed, 0 failed")), (0, true), "{}", out(&output));
    assert!(err(&output).is_empty(), "{}", err(&output));
    folder.write("wells/wells.sde", "mine");
    let output = fokker(&folder.0, &["new", "wells"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("E0606") && err(&output).contains("`wells` is there already"), "{}", err(&output));
    assert_eq!(std::fs::read_to_string(folder.0.join("wells/wells.sde")).expect("still there"), "mine");
}

/// Names that a shell would take apart are quoted where commands are shown.
#[test]
fn a_project_may_have_a_space_in_its_name() {
    let folder = Folder::new("space");
    let output = fokker(&folder.0, &["new", "two wells"]);
    assert!(out(&output).contains("`cd 'two wells'` and `fokker run 'two wells.sde'`"), "{}", out(&output));
    let readme = std::fs::read_to_string(folder.0.join("two wells/README.md")).expect("a file of the project");
    assert!(readme.starts_with("# two wells\n") && readme.contains("fokker test 'two wells.sde'"), "{readme}");
    assert!(readme.contains("`fokker help NAME`") && !readme.contains("PROJECT"), "{readme}");
    let output = fokker(&folder.0.join("two wells"), &["test", "two wells.sde"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
}

/// The examples of models that need arguments give them.
#[test]
fn examples_of_the_library_have_what_they_need() {
    use fokker::syntax::ast::ItemKind;
    let loaded = fokker::session::load::load_text("none", "", &fokker::session::load::Options::default());
    let mut text = String::new();
    for decl in loaded.library.decls() {
        let (name, header) = match &decl.item.kind {
            ItemKind::Model(m) => (&m.name.name, &m.header),
            ItemKind::Target(t) => (&t.name.name, &t.header),
            _ => continue,
        };
        let topics = fokker::session::help::topics(&loaded.library, name);
        let example = &topics.first().expect("a topic of its own").example;
        if header.iter().any(|p| p.default.is_none()) {
            let run = text.lines().count();
            text += &format!("run r{run} {{ {example}; solver = auto; time = 0 .. 1 step 0.5; paths = 2 }}\n");
        } else {
            assert!(example.contains(&format!("{name}()")), "{example}");
        }
    }
    assert!(text.lines().count() >= 2, "{text}");
    let check = move || fokker::session::check_source("examples.sde", &text).0;
    let thread = std::thread::Builder::new().stack_size(1 << 30).spawn(check).expect("a thread");
    let told = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    assert!(told.iter().all(|d| !d.is_error()), "{told:#?}");
}

/// Help is on names of every kind, on codes and on commands; what it does not know it says.
#[test]
fn help_knows_names_and_codes() {
    let folder = Folder::new("help");
    let help = |args: &[&str]| {
        let output = fokker(&folder.0, &[&["help"], args].concat());
        (code(&output), out(&output) + &err(&output))
    };
    for (name, wanted) in [
        ("E0405", "An undeclared noise in two equations"),
        ("e0409", "wrong:\n"),
        ("sra1", "on ito for additive: strong 1.5, weak 2"),
        ("tsit5", "estimates its error"),
        ("exp", "exp(x: real[..]) -> real[..]"),
        ("normal", "normal(mean = 0, sd = 1)"),
        ("mixture", "The weighted mixture of targets."),
        ("quantile", "example: report quantile(x, 0.95)"),
        ("heston", "model heston\n"),
        ("funnel", "example: model = langevin(funnel())"),
        ("sweep", "Runs a parameter over values."),
        ("precision", "setting precision"),
        ("models", "heston"),
        ("settings", "How many independent paths; 1_000 if not given"),
        ("fan", "example: plot fan(x)"),
        ("autocorr", "plot autocorr(x) over t in [1, 5]"),
        ("auto", "value of a setting auto"),
        ("split", "Moves the parts of a model"),
        ("wiener", "noise W: wiener[m] with correlation C"),
        ("time", "time = a .. b step h"),
        ("over", "Pools the values"),
        ("kinetic", "kinetic(force, gamma, sigma)"),
        ("additive", "class of noise additive"),
        ("langevin", "example: model = langevin(p = double_well())"),
        ("bench", "Usage: fokker bench"),
    ] {
        let (code, text) = help(&[name]);
        assert_eq!(code, 0, "{name}: {text}");
        assert!(text.contains(wanted), "{name}: {text}");
    }
    let (code, text) = help(&["euler_maruyma"]);
    assert_eq!(code, 2);
    assert!(text.contains("did you mean `euler_maruyama`"), "{text}");
    assert!(help(&[]).1.contains("Usage: fokker"));
    folder.write("own.sde", "## Mine.\nfn mine(x) = x\n");
    assert!(help(&["mine", "--file", "own.sde"]).1.contains("function mine\n  mine(x)\n  Mine.\n"));
}

/// What a file uses of the library is cited, and what every run goes through.
#[test]
fn references_are_of_what_is_used() {
    let folder = Folder::new("cite");
    folder.write(
        "m.sde",
        "run r { model = heston(); solver = full_truncation; time = 0 .. 1 step 0.1; report quantile(s, 0.5) }",
    );
    let output = fokker(&folder.0, &["cite", "m.sde"]);
    let text = out(&output);
    assert_eq!(code(&output), 0, "{}", err(&output));
    for wanted in [
        "model heston\n  Heston, Rev. Financ. Stud. 6 (1993) 327\n  Lord, Koekkoek & van Dijk, Quant. Finance 10 (2010) 177\n",
        "solver full_truncation\n",
        "random numbers (ARS-5 of Random123)\n",
        "quantiles\n",
    ] {
        assert!(text.contains(wanted), "{wanted} in\n{text}");
    }
    for other in ["funnel", "effective sample sizes", "Gustafsson"] {
        assert!(!text.contains(other), "{other} in\n{text}");
    }
    let text = out(&fokker(&folder.0, &["cite", "m.sde", "--bibtex"]));
    assert!(text.contains("@article{heston1993,\n  author = {Heston},\n  title = {A closed-form solution"), "{text}");
    assert!(text.contains("  journal = {Rev. Financ. Stud.},\n  volume = {6},\n  pages = {327},"), "{text}");
    // a work that two use has one entry
    assert_eq!(text.matches("author = {Lord and Koekkoek and van Dijk}").count(), 1, "{text}");
    folder.write("wrong.sde", "run r { model = nothing() }");
    assert_eq!(code(&fokker(&folder.0, &["cite", "wrong.sde"])), 2);
}

/// Bars are for terminals: what is read by others has none.
#[test]
fn no_bar_without_a_terminal() {
    let folder = Folder::new("bar");
    folder.write("ou.sde", OU);
    for args in [&["run", "ou.sde"][..], &["run", "ou.sde", "--quiet"], &["test", "ou.sde", "-q"]] {
        let output = fokker(&folder.0, args);
        assert_eq!((code(&output), err(&output).as_str()), (0, ""), "{args:?}");
    }
}
