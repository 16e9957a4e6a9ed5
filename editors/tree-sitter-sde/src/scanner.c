// Newlines that end statements. One is a token only where the grammar can use it, so inside brackets and after operators
// it is white space already; here it is seen whether the next line goes on with the statement.

#include "tree_sitter/parser.h"

#include <stdbool.h>
#include <string.h>

enum Token { NEWLINE, ERROR_SENTINEL };

void *tree_sitter_sde_external_scanner_create(void) { return NULL; }
void tree_sitter_sde_external_scanner_destroy(void *payload) { (void)payload; }
unsigned tree_sitter_sde_external_scanner_serialize(void *payload, char *buffer) {
  (void)payload;
  (void)buffer;
  return 0;
}
void tree_sitter_sde_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  (void)payload;
  (void)buffer;
  (void)length;
}

static bool is_blank(int32_t c) { return c == ' ' || c == '\t' || c == '\r'; }

static bool is_letter(int32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c > 127; }

// Whether a line that begins here goes on with the statement before it: it begins with a binary operator, `then` or `else`.
static bool joins_previous(TSLexer *lexer) {
  int32_t c = lexer->lookahead;
  switch (c) {
    case '+': case '-': case '*': case '/': case '^': case '@': case '<': case '>': case 0x2218:
      return true;
    case '=': case '!':
      lexer->advance(lexer, false);
      return lexer->lookahead == '=';
    case '.':
      lexer->advance(lexer, false);
      return lexer->lookahead == '.';
    default:
      break;
  }
  char word[6] = {0};
  unsigned length = 0;
  while (is_letter(lexer->lookahead) || (lexer->lookahead >= '0' && lexer->lookahead <= '9')) {
    if (length == sizeof word - 1 || lexer->lookahead > 127) return false;
    word[length++] = (char)lexer->lookahead;
    lexer->advance(lexer, false);
  }
  return !strcmp(word, "then") || !strcmp(word, "else") || !strcmp(word, "and") || !strcmp(word, "or");
}

bool tree_sitter_sde_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  (void)payload;
  // All tokens are valid only while an error is being passed over.
  if (!valid[NEWLINE] || valid[ERROR_SENTINEL]) return false;
  while (is_blank(lexer->lookahead)) lexer->advance(lexer, true);
  if (lexer->lookahead != '\n') return false;
  lexer->advance(lexer, false);
  lexer->mark_end(lexer);
  for (;;) {
    if (is_blank(lexer->lookahead) || lexer->lookahead == '\n') {
      lexer->advance(lexer, false);
    } else if (lexer->lookahead == '#') {
      while (!lexer->eof(lexer) && lexer->lookahead != '\n') lexer->advance(lexer, false);
    } else {
      break;
    }
  }
  lexer->result_symbol = NEWLINE;
  return lexer->eof(lexer) || !joins_previous(lexer);
}
