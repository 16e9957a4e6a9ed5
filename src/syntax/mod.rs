//! Syntax: from text to tree. Never panics; a broken text gives a tree of what could be read and a list of problems.

pub mod ast;
