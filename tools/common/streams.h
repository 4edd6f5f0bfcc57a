/* SPDX-License-Identifier: MIT */
/* Standard input, output and error: nothing takes their place, or is lost. */
#ifndef TOOLS_COMMON_STREAMS_H
#define TOOLS_COMMON_STREAMS_H

/*
 * To be called first.  What is closed of the three is opened, so that no file
 * of ours gets its number; it can be neither read nor written.  From then on
 * exit() fails if not all that was printed could be written.
 */
void streams_init(void);

/*
 * Writes what was printed.  Returns 0, or -1 with errno set: the caller says
 * so, and exit() does not say it again.
 */
int streams_flush(void);

#endif /* TOOLS_COMMON_STREAMS_H */
