/* SPDX-License-Identifier: MIT */
/*
 * Standard input, output and error: no other file takes their place, and no
 * error of theirs is lost.
 */
#ifndef TOOLS_COMMON_STREAMS_H
#define TOOLS_COMMON_STREAMS_H

/*
 * Call this first.  It opens those of the three that are closed, so that no
 * file of ours gets their numbers; they can be neither read nor written.  From
 * then on, exit() fails if not everything that was printed could be written.
 */
void streams_init(void);

/*
 * Writes out what was printed.  Returns 0, or -1 with errno set: then the
 * caller reports it, and exit() does not report it again.
 */
int streams_flush(void);

#endif /* TOOLS_COMMON_STREAMS_H */
