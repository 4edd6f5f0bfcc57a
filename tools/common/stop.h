/* SPDX-License-Identifier: MIT */
/*
 * Ctrl-C and its like.  They are held back and asked for at places where the
 * work can be given up cleanly, so that no moment is unsafe.
 */
#ifndef TOOLS_COMMON_STOP_H
#define TOOLS_COMMON_STOP_H

/* To be called first, before there are threads or files to clean up. */
void stop_init(void);

/* The signal that asks us to stop, or 0.  One thread only. */
int stop_requested(void);

/* They end the process at once from here on, where it may wait for ever. */
void stop_let_through(void);

/* Ends the process by the signal that stopped it, so that a shell knows. */
void stop_die(void);

#endif /* TOOLS_COMMON_STOP_H */
