/**
 * The grammar of Fokker for editors. `grammar/sde.pest` is the compiler's own; the rules here have its names where they can.
 *
 * A newline ends a statement, but not inside brackets, after a token that cannot end one, or before a line that begins
 * with a binary operator, `then` or `else`: the scanner (`src/scanner.c`) decides.
 */

const PREC = { or: 1, and: 2, not: 3, compare: 4, sum: 5, juxtapose: 6, product: 7, unary: 8, power: 9, postfix: 10 };

const sep1 = (rule, separator) => seq(rule, repeat(seq(separator, rule)));
const comma1 = (rule) => sep1(rule, ',');

/** Statements of one kind, each ended by a newline or `;`. */
const statements = ($, rule) =>
  seq(repeat($._end), optional(seq(rule, repeat(seq(repeat1($._end), rule)), repeat($._end))));

const block = ($, rule) => seq('{', statements($, rule), '}');

module.exports = grammar({
  name: 'sde',

  externals: ($) => [$._newline, $._error_sentinel],
  extras: ($) => [/\s/, $.comment, $.doc_comment],
  word: ($) => $.identifier,

  conflicts: ($) => [[$._atom, $.lambda_parameters], [$.comprehension]],

  supertypes: ($) => [$.expression],

  rules: {
    source_file: ($) => statements($, $._item),

    _end: ($) => choice($._newline, ';'),

    // ---- declarations ----

    _item: ($) =>
      choice($.use, $.const, $.data, $.fn, $.target, $.model, $.solver, $.run),

    use: ($) => seq('use', field('path', $.string)),
    const: ($) => seq('const', field('name', $.identifier), '=', field('value', $.expression)),
    data: ($) => seq('data', field('name', $.identifier), ':', $._type, '=', field('value', $.expression)),
    let: ($) => seq('let', field('name', $.identifier), optional(seq(':', $._type)), '=', field('value', $.expression)),
    fn: ($) =>
      seq(
        'fn', field('name', $.identifier), optional($.header),
        choice(seq('=', field('value', $.expression)), alias($.fn_block, $.block)),
      ),
    fn_block: ($) => block($, choice($.let, $.return)),
    return: ($) => seq('return', $.expression),

    target: ($) =>
      seq(
        'target', field('name', $.identifier), optional($.header),
        choice(
          seq('=', field('value', $.expression)),
          seq(
            'on', field('variable', $.identifier), ':', $._type, optional(seq('in', $.expression)),
            alias($.target_block, $.block),
          ),
        ),
      ),
    target_block: ($) =>
      block($, choice($.let, $.const, $.data, $.fn, $.log_density, $.potential, $.law)),
    log_density: ($) => seq('log_density', $.expression),
    potential: ($) => seq('potential', $.expression),
    law: ($) => seq($.expression, '~', $.expression),

    model: ($) =>
      seq(
        'model', field('name', $.identifier), optional($.header),
        choice(
          seq('=', field('value', $.expression), optional(seq('with', alias($.model_block, $.block)))),
          alias($.model_block, $.block),
        ),
      ),
    model_block: ($) =>
      block($, choice(
        $.part, $.flow, $.step, $.convention, $.noise, $.state, $.event, $.let, $.const, $.data, $.fn,
      )),

    solver: ($) =>
      seq(
        'solver', field('name', $.identifier), optional($.header),
        choice(
          seq('=', field('value', $.expression)),
          seq(
            'on', field('form', $.identifier), '(', comma1($.identifier), ')',
            optional(seq('for', field('noise', $.identifier))),
            alias($.solver_block, $.block),
          ),
        ),
      ),
    solver_block: ($) => block($, choice($.order, $.step, $.state, $.let, $.const, $.fn)),

    run: ($) => seq('run', field('name', $.identifier), optional($.header), $._run_block),
    _run_block: ($) => alias($.run_block, $.block),
    run_block: ($) =>
      block($, choice(
        alias($.let_run, $.let), $.report, $.plot, $.check, $.save, $.estimate, $.init, $.sweep, $.converge, $.train,
        $.phase, alias($.for_run, $.for), $.setting,
      )),

    header: ($) => seq('(', optional(comma1($.parameter)), ')'),
    parameter: ($) =>
      seq(
        field('name', $.identifier), optional(seq(':', $._type)),
        optional(seq('=', field('default', $.expression))), optional($.parameter_range),
      ),
    parameter_range: ($) =>
      seq('in', choice('[', '('), $.expression, ',', $.expression, choice(']', ')')),

    _type: ($) => choice($.type, $.function_type),
    type: ($) => seq(field('name', $.identifier), optional(seq('[', comma1($.expression), ']'))),
    function_type: ($) => seq('(', optional(comma1($._type)), ')', '->', $._type),

    // ---- statements of models and blocks ----

    part: ($) => seq('part', field('name', $.identifier), alias($.part_block, $.block)),
    part_block: ($) => block($, choice($.flow, $.let)),
    flow: ($) =>
      seq(field('differential', $.identifier), optional($.subscripts), '=', $.expression, optional($.comprehension)),
    step: ($) => seq('step', $._prime_block),
    convention: ($) => seq('convention', $.expression),
    noise: ($) =>
      seq(
        'noise', field('name', $.identifier), ':', $.expression,
        optional(seq('with', choice('correlation', 'covariance'), $.expression)),
      ),
    state: ($) =>
      seq(
        choice('state', 'weight'), field('name', $.identifier), optional(seq(':', $._type)),
        optional(seq('in', $.expression)), optional(seq('by', $.identifier)),
        optional(seq(choice('=', '~'), $.expression)),
      ),
    event: ($) =>
      seq(
        choice(
          seq('every', $.expression, optional('steps')),
          seq('at', 'rate', $.expression),
          seq('at', $.expression),
          seq('when', $.expression),
        ),
        $._prime_block,
      ),

    _prime_block: ($) => alias($.prime_block, $.block),
    prime_block: ($) =>
      block($, choice($.let, $.fn, $.state, $.if, $.for, $.renew, $.law, $.error, $.solve, $.stop)),
    if: ($) =>
      seq('if', field('condition', $.expression), $._prime_block, optional(seq('else', $._prime_block))),
    for: ($) => seq('for', field('name', $.identifier), 'in', $.expression, $._prime_block),
    renew: ($) => prec(1, seq($.primed, optional($.subscripts), '=', $.expression, optional($.comprehension))),
    error: ($) => seq('error', $.expression),
    solve: ($) =>
      seq(
        'solve', field('name', $.identifier), ':', $.expression, 'from', $.expression,
        optional(seq('by', $.expression)),
      ),
    stop: (_) => 'stop',
    order: ($) => seq('order', $._fields, optional(seq('for', field('noise', $.identifier)))),
    _fields: ($) => comma1(seq(field('key', $.identifier), '=', $.expression)),

    // ---- statements of runs ----

    let_run: ($) =>
      seq('let', field('name', $.identifier), optional(seq(':', $._type)), '=', field('value', $.expression), optional($.pool)),
    report: ($) => seq('report', comma1($.expression), optional($.pool)),
    plot: ($) =>
      seq('plot', comma1($.expression), optional($.pool), optional(seq('to', field('path', $.string)))),
    check: ($) => seq('check', $.expression, optional($.pool)),
    save: ($) =>
      seq(
        'save', $.expression, optional(seq('every', $.expression)), optional(seq('first', $.expression)), 'to', $.string,
      ),
    estimate: ($) => seq('estimate', $.expression, 'to', $.expression),
    init: ($) => seq('init', field('name', $.identifier), choice('~', '='), $.expression),
    sweep: ($) => seq('sweep', comma1(seq($.path, '=', $.expression))),
    converge: ($) => seq('converge', $._fields),
    train: ($) =>
      seq(
        'train', comma1($.path), 'to', choice('minimise', 'maximise'), $.expression, 'by', $.expression, 'for',
        $.expression, 'steps',
      ),
    phase: ($) => seq('phase', field('name', $.identifier), $._run_block),
    for_run: ($) => seq('for', field('name', $.identifier), 'in', $.expression, $._run_block),
    // `init = burn` is a setting too.
    setting: ($) =>
      seq(
        field('name', choice($.identifier, alias('init', $.identifier))), '=', $.expression,
        optional(choice(seq(choice('step', 'tol'), $.expression), 'steps')),
      ),
    path: ($) => sep1($.identifier, '.'),
    pool: ($) => choice(seq('at', $.expression), seq('over', comma1($._pool_span))),
    _pool_span: ($) =>
      choice(
        seq('last', $.expression, 'steps'),
        seq(field('name', $.identifier), 'in', $.expression, optional(seq('every', $.expression))),
      ),

    // ---- expressions ----

    expression: ($) => choice($.lambda, $.if_expression, $.range, $._operand),

    lambda: ($) => prec.right(seq(choice($.identifier, $.lambda_parameters), '->', $.expression)),
    lambda_parameters: ($) => seq('(', optional(comma1($.identifier)), ')'),
    if_expression: ($) =>
      prec.right(seq('if', $.expression, 'then', $.expression, 'else', $.expression)),
    range: ($) => seq($._operand, '..', $._operand),
    // Only slices end in the open; elsewhere `steps` after `..` would read as a word of a run.
    open_range: ($) => seq($._operand, '..'),

    _operand: ($) =>
      choice($.binary, $.unary, $.juxtaposition, $.call, $.index, $.field, $._atom),

    binary: ($) => {
      const left = (precedence, operator) =>
        prec.left(precedence, seq($._operand, field('operator', operator), $._operand));
      return choice(
        left(PREC.or, 'or'),
        left(PREC.and, 'and'),
        left(PREC.compare, choice('<', '<=', '>', '>=', '==', '!=')),
        left(PREC.sum, choice('+', '-')),
        left(PREC.product, choice('*', '/', '@')),
        prec.right(PREC.power, seq($._operand, field('operator', '^'), $._operand)),
      );
    },
    unary: ($) =>
      choice(
        prec(PREC.not, seq('not', $._operand)),
        prec(PREC.unary, seq(choice('-', '+'), $._operand)),
      ),
    juxtaposition: ($) =>
      prec.left(
        PREC.juxtapose,
        seq($._operand, optional(choice('∘', 'o')), field('differential', $.identifier), optional($.subscripts)),
      ),

    call: ($) => prec(PREC.postfix, seq(field('function', $._operand), $.arguments)),
    arguments: ($) => seq('(', optional(comma1($._argument)), ')'),
    _argument: ($) => choice($.named_argument, seq($.expression, optional($.comprehension))),
    named_argument: ($) => seq(field('name', $.identifier), '=', $.expression),
    index: ($) => prec(PREC.postfix, seq($._operand, $.subscripts)),
    subscripts: ($) => prec(PREC.postfix, seq('[', comma1(choice(':', $.expression, alias($.open_range, $.range))), ']')),
    field: ($) => prec(PREC.postfix, seq($._operand, '.', field('name', choice($.identifier, $.primed)))),

    _atom: ($) => choice($.identifier, $.primed, $.number, $.string, $.boolean, $.parenthesized, $.list),
    parenthesized: ($) => seq('(', $.expression, ')'),
    list: ($) =>
      seq('[', optional(seq($.expression, choice($.comprehension, repeat(seq(',', $.expression))))), ']'),
    comprehension: ($) => seq('for', comma1($.clause), optional(seq('if', $.expression))),
    clause: ($) => seq(field('name', $.identifier), 'in', $.expression),

    primed: ($) => seq($.identifier, token.immediate("'")),
    boolean: (_) => choice('true', 'false'),
    identifier: (_) => /[\p{XID_Start}_][\p{XID_Continue}₀-₉]*/,
    number: (_) => /[0-9](_?[0-9])*(\.[0-9](_?[0-9])*)?([eE][+-]?[0-9](_?[0-9])*)?/,
    string: (_) => /"[^"\n]*"/,
    comment: (_) => token(prec(-1, /#[^\n]*/)),
    doc_comment: (_) => token(prec(1, /##[^\n]*/)),
  },
});
