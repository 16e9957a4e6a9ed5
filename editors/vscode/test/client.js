// Runs the extension in a stand-in for VS Code: it starts the server, shows the problems of a file, runs the file and stops.
// `node client.js EXTENSION FOKKER PROGRAM`, with a program that has one unknown name.

const fs = require('fs');
const path = require('path');
const Module = require('module');
const { pathToFileURL } = require('url');

const [extension, fokker, program] = process.argv.slice(2).map((p) => path.resolve(p));

class Disposable {
  constructor(end) { this.end = end; }
  dispose() { this.end?.(); }
}

class EventEmitter {
  listeners = new Set();
  event = (listener, self) => {
    const bound = self ? listener.bind(self) : listener;
    this.listeners.add(bound);
    return new Disposable(() => this.listeners.delete(bound));
  };
  fire(what) { for (const listener of [...this.listeners]) listener(what); }
  dispose() {}
}

class Uri {
  constructor(text) {
    this.text = text;
    this.scheme = text.split(':')[0];
    this.path = this.fsPath = decodeURIComponent(text.replace('file://', ''));
  }
  toString() { return this.text; }
  static parse(text) { return new Uri(text); }
  static file(name) { return new Uri(pathToFileURL(name).toString()); }
}

const registered = { commands: {} };

/** A part of the interface: what it has not are events that never come, and things to register that nobody uses. */
function part(own) {
  return new Proxy(own, {
    get(all, name) {
      if (name in all || typeof name === 'symbol') return all[name];
      if (/^on(Did|Will)?[A-Z]/.test(name)) return (all[name] = new EventEmitter().event);
      if (!/^(register|create)/.test(name)) return undefined;
      return (...given) => {
        registered[name] = given;
        return new Disposable();
      };
    },
  });
}

const text = fs.readFileSync(program, 'utf8');
const document = {
  uri: Uri.file(program), fileName: program, languageId: 'sde', version: 1, isClosed: false, isDirty: false,
  lineCount: text.split('\n').length, getText: () => text, save: async () => true,
};
const problems = new Map();
const shown = [];
const typed = [];
const output = new Proxy({}, { get: () => () => {} });

const vscode = part({
  Disposable, EventEmitter, Uri, version: '1.90.0',
  Position: class { constructor(line, character) { Object.assign(this, { line, character }); } },
  Range: class {
    constructor(a, b, c, d) {
      this.start = typeof a === 'number' ? { line: a, character: b } : a;
      this.end = typeof a === 'number' ? { line: c, character: d } : b;
    }
  },
  CancellationTokenSource: class { token = { isCancellationRequested: false, onCancellationRequested: () => new Disposable() }; },
  env: part({ appName: 'stand-in', language: 'en' }),
  l10n: { t: (message) => message },
  extensions: part({ all: [] }),
  workspace: part({
    textDocuments: [document], notebookDocuments: [], getWorkspaceFolder: () => undefined,
    getConfiguration: () => ({ get: (name, other) => (name === 'path' ? fokker : other) }),
  }),
  window: part({
    activeTextEditor: { document }, visibleTextEditors: [], terminals: [], tabGroups: part({ all: [] }),
    createOutputChannel: () => output,
    showErrorMessage: async (message) => void shown.push(message),
    createTerminal: (name) => ({ name, show() {}, sendText: (line) => typed.push(line) }),
  }),
  languages: part({
    match: (selector, d) => ([].concat(selector).some((s) => s.language === d.languageId) ? 10 : 0),
    createDiagnosticCollection: () => ({ set: (uri, all) => problems.set(uri.toString(), all), delete() {}, clear() {}, dispose() {} }),
  }),
  commands: part({
    registerCommand: (name, work) => {
      registered.commands[name] = work;
      return new Disposable();
    },
  }),
});

/** Classes and enumerations that only have to be there. */
const whole = new Proxy(vscode, {
  get(all, name) {
    if (all[name] !== undefined || typeof name === 'symbol' || !/^[A-Z]/.test(name)) return all[name];
    const kind = class { constructor(...given) { this.given = given; } };
    return (all[name] = new Proxy(kind, { get: (c, member) => (member in c || typeof member === 'symbol' ? c[member] : member) }));
  },
});

const load = Module._load;
Module._load = function (name, ...rest) {
  return name === 'vscode' ? whole : load.call(this, name, ...rest);
};

function need(condition, message) {
  if (!condition) throw new Error(message);
}

async function main() {
  const { activate, deactivate } = require(path.join(extension, 'extension.js'));
  await activate({ subscriptions: [] });
  need(shown.length === 0, `it complains: ${shown}`);
  for (let wait = 0; wait < 100 && !problems.size; wait += 1) await new Promise((done) => setTimeout(done, 100));
  const told = JSON.stringify([...problems.values()]);
  need(told.includes('E0201'), `an unknown name is not told: ${told}`);
  for (const what of ['Hover', 'Definition', 'Reference', 'Rename', 'CompletionItem', 'SignatureHelp', 'InlayHints', 'CodeActions']) {
    need(Object.keys(registered).some((name) => name.startsWith(`register${what}`)), `${what} is not served`);
  }
  await registered.commands['fokker.run']();
  need(typed[0] === `${fokker} run ${program}`, `the terminal gets ${typed}`);
  await registered.commands['fokker.restart']();
  await deactivate();
  console.log('the extension starts the server, shows problems, runs a file, starts anew and stops');
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
