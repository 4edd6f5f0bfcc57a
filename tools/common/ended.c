// SPDX-License-Identifier: MIT
#include "ended.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

const char *ended_text(char text[ENDED_TEXT], int status)
{
	if (WIFSIGNALED(status))
		snprintf(text, ENDED_TEXT, "%s", strsignal(WTERMSIG(status)));
	else
		snprintf(text, ENDED_TEXT, "exit status %d",
			 WEXITSTATUS(status));
	return text;
}
