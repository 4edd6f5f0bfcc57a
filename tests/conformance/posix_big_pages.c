// SPDX-License-Identifier: MIT
/*
 * posix_big_pages.c - a sysconf() that says that pages have 16 KiB.  The
 * linker's --wrap puts it in front of the real one.
 */
#include <unistd.h>

long __real_sysconf(int name);
long __wrap_sysconf(int name);

long __wrap_sysconf(int name)
{
	return name == _SC_PAGESIZE ? 16384 : __real_sysconf(name);
}
