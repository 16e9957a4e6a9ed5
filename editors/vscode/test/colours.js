// Colours programs with the tokenizer of VS Code, and holds words against the scopes that they must have:
// `node colours.js GRAMMAR PROGRAM...`, where vscode-textmate and vscode-oniguruma are installed.

const fs = require('fs');
const { Registry, INITIAL, parseRawGrammar } = require('vscode-textmate');
const { loadWASM, OnigScanner, OnigString } = require('vscode-oniguruma');

/** Lines, and words of them in order with the last part of their scopes; a word that is not listed may have any. */
const EXPECTED = [
  ['run r { model = ou(); solver = [heun, auto]; noise = tree', {
    run: 'keyword.declaration', r: 'entity.name', model: 'variable.parameter.setting', ou: 'entity.name.function',
    solver: 'variable.parameter.setting', heun: 'support.function.solver', auto: 'support.function.solver',
    noise: 'variable.parameter.setting', tree: 'constant.language.value',
  }],
  ['  time = 0 .. 1 step 0.1; precision = f32', {
    time: 'variable.parameter.setting', step: 'keyword.other', '0.1': 'constant.numeric', f32: 'constant.language.value',
  }],
  ['  plot fan(x), ladder(mean(x)), # two', { plot: 'keyword.control.statement', fan: 'support.function.plot',
    ladder: 'support.function.plot', mean: 'support.function.statistic', '# two': 'comment.line.number-sign' }],
  ['    histogram(exp(x)) at 1', { histogram: 'support.function.plot', exp: 'support.function', at: 'keyword.other' }],
  ['  report histogram(x), mean(paths)', { report: 'keyword.control.statement', histogram: 'support.function.statistic',
    mean: 'support.function.statistic', paths: '' }],
  ['  check x > 0 and se(mean(x)) < 1 }', { check: 'keyword.control.statement', and: 'keyword.operator.word',
    se: 'support.function.statistic', x: '' }],
  ['model m(p: target, k: real[n] = 1.0 in [0, 1]) { noise W: wiener[2]; state ou = 0.0', {
    model: 'keyword.declaration', m: 'entity.name', target: 'storage.type', real: 'storage.type', in: 'keyword.control',
    noise: 'keyword.declaration', W: 'entity.name', wiener: 'storage.type.noise', state: 'keyword.declaration', ou: 'entity.name',
  }],
  ['  dx[0] = -ou*x dt + b dW[1] }', { dx: 'variable.other.differential', ou: '', dt: 'variable.other.differential',
    dW: 'variable.other.differential' }],
  ['  part A { dx = v dt }', { part: 'keyword.declaration', A: 'entity.name', dx: 'variable.other.differential',
    dt: 'variable.other.differential' }],
  ['solver s() on ito(a, b) { step { x\' = x + dopri5 } }', { solver: 'keyword.declaration', on: 'keyword.other',
    step: 'keyword.control.statement', dopri5: 'support.function.solver' }],
  ['target q() on x: real { x ~ normal(0, 1); log_density -x^2 }', { target: 'keyword.declaration', on: 'keyword.other',
    real: 'storage.type', normal: 'support.class.law', log_density: 'keyword.control.statement' }],
  ['## Words of `x`', { '## Words of `x`': 'comment.line.documentation' }],
  ['data y: real[n] = csv("a.csv", column = "y")', { data: 'keyword.declaration', csv: 'support.function',
    '"a.csv"': 'string.quoted.double' }],
];

async function grammar(file) {
  const wasm = fs.readFileSync(require.resolve('vscode-oniguruma').replace(/main\.js$/, 'onig.wasm')).buffer;
  await loadWASM(wasm);
  const onigLib = Promise.resolve({
    createOnigScanner: (patterns) => new OnigScanner(patterns),
    createOnigString: (text) => new OnigString(text),
  });
  const loadGrammar = async () => parseRawGrammar(fs.readFileSync(file, 'utf8'), file);
  return new Registry({ onigLib, loadGrammar }).loadGrammar('source.sde');
}

/** The words of a line with their scopes. */
function words(line, result) {
  const all = result.tokens.map((t) => [line.slice(t.startIndex, t.endIndex).trim(), t.scopes.slice(1).pop() || '']);
  return all.map(([word, scope]) => [word, scope.replace(/\.sde$/, '')]);
}

async function main() {
  const [file, ...programs] = process.argv.slice(2);
  const sde = await grammar(file);
  let wrong = 0;
  let stack = INITIAL;
  for (const [line, expected] of EXPECTED) {
    const result = sde.tokenizeLine(line, stack);
    stack = result.ruleStack;
    const found = words(line, result);
    for (const [word, scope] of Object.entries(expected)) {
      const is = found.filter(([text]) => text === word);
      const plain = found.some(([text, s]) => s === '' && new RegExp(`(^|\\W)${word}($|\\W)`).test(text));
      if (scope === '' ? is.some(([, s]) => s !== '') || !plain : !is.some(([, s]) => s === scope)) {
        console.error(`${line}\n  ${word}: ${scope || 'no scope'} expected, found ${JSON.stringify(found)}`);
        wrong += 1;
      }
    }
  }
  if (stack.depth !== INITIAL.depth && stack.depth > 1) {
    console.error('a statement does not end');
    wrong += 1;
  }
  for (const program of programs) {
    let inside = INITIAL;
    for (const line of fs.readFileSync(program, 'utf8').split('\n')) inside = sde.tokenizeLine(line, inside).ruleStack;
    if (inside.depth > 1) {
      console.error(`${program}: a statement does not end`);
      wrong += 1;
    }
  }
  console.log(`${EXPECTED.length} lines and ${programs.length} programs coloured, ${wrong} wrong`);
  process.exit(wrong ? 1 : 0);
}

main();
