/* SPDX-License-Identifier: MIT */
/*
 * text.h - which instructions of the library were interrupted.  The program's
 * own symbol table says where each function of the library is.
 */
#ifndef STEP_TEXT_H
#define STEP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the symbol table.  On failure prints why, and returns false. */
bool text_open(void);

/* Whether the library's code is at @pc. */
bool text_contains(uintptr_t pc);

/* The function at @pc. */
const char *text_function(uintptr_t pc);

/* Notes that the instruction at @pc was interrupted.  Any context. */
void text_interrupted(uintptr_t pc);

/* How many different instructions were interrupted. */
size_t text_count(void);

/* Whether an instruction of function @name was interrupted. */
bool text_was_interrupted(const char *name);

/* Prints how many instructions of each function were interrupted. */
void text_print(void);

#endif /* STEP_TEXT_H */
