// The client: starts `fokker lsp` for .sde files, and runs files in a terminal.

const vscode = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

function program() {
  return vscode.workspace.getConfiguration('fokker').get('path') || 'fokker';
}

async function start() {
  const server = { command: program(), args: ['lsp'] };
  client = new LanguageClient('fokker', 'Fokker', server, { documentSelector: [{ language: 'sde' }] });
  try {
    await client.start();
  } catch (error) {
    vscode.window.showErrorMessage(`Fokker: \`${program()} lsp\` does not start (${error.message}). Set fokker.path.`);
  }
}

async function stop() {
  if (client) await client.stop().catch(() => {});
  client = undefined;
}

/** Saves the file of the active editor and gives it to a command of fokker, in a terminal. */
async function inTerminal(command) {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId !== 'sde' || !(await document.save())) return;
  const name = 'Fokker';
  const terminal = vscode.window.terminals.find((t) => t.name === name) || vscode.window.createTerminal(name);
  terminal.show(true);
  terminal.sendText(`${quoted(program())} ${command} ${quoted(document.fileName)}`);
}

function quoted(word) {
  if (/^[\w./-]+$/.test(word)) return word;
  return process.platform === 'win32' ? `"${word}"` : `'${word.replace(/'/g, "'\\''")}'`;
}

async function activate(context) {
  const commands = {
    'fokker.run': () => inTerminal('run'),
    'fokker.explain': () => inTerminal('explain'),
    'fokker.restart': async () => {
      await stop();
      await start();
    },
  };
  for (const [name, work] of Object.entries(commands)) {
    context.subscriptions.push(vscode.commands.registerCommand(name, work));
  }
  await start();
}

module.exports = { activate, deactivate: stop };
