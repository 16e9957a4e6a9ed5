//! What the emitter of 256-bit code takes, and that it is what runs.

use super::*;
use crate::backend::wide;

/// Programs of lane arithmetic, loops and calls do not fall back, in either precision.
#[test]
fn plain_programs_have_code() {
    if !wide::is_available() {
        return;
    }
    for case in [gbm(), double_well(), ring(5)] {
        for (precision, here, elsewhere) in
            [(Precision::Double, "pd ymm0", "ps "), (Precision::Single, "ps ymm0", "pd ")]
        {
            let program = case.program.clone().at(precision);
            let text = wide::text(&program).expect("there is code");
            assert!(text.contains("vfmadd") && text.contains(here) && !text.contains(elsewhere), "{text}");
        }
        assert!(wide::compile::<f32>(&case.program.at(Precision::Single)).is_some());
    }
}

/// The functions that are written out have the bits of their kernels, also where they overflow and for what is no number.
#[test]
fn functions_in_the_body_are_those_of_the_kernels() {
    let mut g = Graph::new();
    let x = g.new_var("x", VarKind::State, Ty::Real, vec![]);
    let xv = g.var(x);
    let y = g.op(Op::Exp, &[xv]);
    let case = Case::new(g, Spec { states: vec![x], renew: vec![(x, y)], outs: vec![] });
    agree(&case, 3);
    let edges = [0.0, -0.0, 1.0, 709.78, 709.79, 710.5, -708.4, -745.1, -745.2, -751.0, 1e-300, 5e-324, 0.3466, 40.0];
    exponentials::<f64>(&case, &edges);
    let edges = [0.0, -0.0, 1.0, 88.72, 88.73, 90.0, -87.3, -103.9, -104.0, -110.0, 1e-38, 1e-45, 0.3466, 40.0];
    exponentials::<f32>(&case, &edges);
}

fn exponentials<T: Lane>(case: &Case, edges: &[f64]) {
    let program = &case.program.clone().at(T::PRECISION);
    let Some(code) = wide::compile::<T>(program) else { return };
    let mut memory: Memory<T> = case.memory(16 * edges.len(), 1, 1, true).rounded();
    for (k, state) in memory.state.iter_mut().enumerate().skip(16) {
        *state = T::of(edges[k % edges.len()] * (1.0 + (k / edges.len()) as f64 * 1e-3));
    }
    let mut want = memory.clone();
    want.run(&interpreter::Interpreter::new(program));
    memory.run(&*code);
    assert_same("exp", &want.state, &memory.state, program);
}

/// Code that keeps the states of all steps has those of single steps, in groups of any size.
#[test]
fn traced_code_keeps_the_states_of_all_steps() {
    for case in [gbm(), double_well()] {
        traced::<f64>(&case);
        traced::<f32>(&case);
    }
}

fn traced<T: Lane>(case: &Case) {
    let program = &case.program.clone().at(T::PRECISION);
    let Some(code) = wide::compile::<T>(program) else { return };
    let traced = code.traced().expect("straight-line code");
    for lanes in [16, 48, 64] {
        let (steps, size) = (7, program.state_rows * lanes);
        let mut all: Memory<T> = case.memory(lanes, steps, 1, false).rounded();
        let mut single = all.clone();
        all.out = vec![T::of(f64::NAN); steps * size];
        all.run(&*traced);
        for step in 0..steps {
            let mut one = single.part(program, 0..lanes, step..step + 1);
            one.state.clone_from(&single.state);
            one.run(&*code);
            assert_same("trace", &one.state, &all.out[step * size..(step + 1) * size], program);
            single.state = one.state;
        }
        assert_same("end", &single.state, &all.state, program);
    }
}

/// States that nothing reads still have homes, which constants of the loop must not take.
#[test]
fn constants_leave_the_homes_of_states_alone() {
    let mut g = Graph::new();
    let mut renew = Vec::new();
    let mut outs = Vec::new();
    for k in 0..12 {
        let state = g.new_var(format!("x{k}"), VarKind::State, Ty::Real, vec![]);
        let param = g.new_var(format!("p{k}"), VarKind::Param, Ty::Real, vec![]);
        let value = g.var(param);
        renew.push((state, value));
        let next = g.op(Op::Exp, &[value]);
        outs.push(next);
    }
    let states = renew.iter().map(|r| r.0).collect();
    agree(&Case::new(g, Spec { states, renew, outs }), 1);
}
