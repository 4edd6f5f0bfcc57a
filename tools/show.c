// SPDX-License-Identifier: MIT
#include "show.h"

#include "streams.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

int show_flush(struct failure *failure)
{
	if (streams_flush())
		return fail(failure, errno, "cannot print");
	return 0;
}

#define WIDTH 80 /* of what is no terminal, or does not know its width */

static int width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return WIDTH;
	return size.ws_col;
}

int show_run(const struct run_setup *setup, const struct replayed *replayed,
	     struct timeline *timeline, struct failure *failure)
{
	if (replay_show(setup, replayed, timeline))
		return fail(failure, 0, "not enough memory");
	if (timeline_print(timeline, width(), stdout))
		return fail(failure, errno, "cannot print");
	return 0;
}

static int draw_svg(const char *file, const struct timeline *timeline,
		    const struct timeline *beside)
{
	return beside ? timeline_draw_pair_svg(timeline, beside, file) :
			timeline_draw_svg(timeline, file);
}

static int draw_png(const char *file, const struct timeline *timeline,
		    const struct timeline *beside)
{
	return beside ? timeline_draw_pair_png(timeline, beside, file) :
			timeline_draw_png(timeline, file);
}

int show_pictures(const struct machine_options *opt,
		  const struct timeline *timeline,
		  const struct timeline *beside, struct failure *failure)
{
	if (opt->svg && draw_svg(opt->svg, timeline, beside))
		return fail(failure, errno, "cannot write %s", opt->svg);
	if (opt->png && draw_png(opt->png, timeline, beside))
		return fail(failure, errno, "cannot write %s", opt->png);
	if (opt->trace && timeline_trace(timeline, opt->trace))
		return fail(failure, errno, "cannot write %s", opt->trace);
	return 0;
}
