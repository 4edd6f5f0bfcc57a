// SPDX-License-Identifier: MIT
/*
 * posix_big_pages.c - a system whose pages have 16 KiB, as far as a process that asks
 * for their size can tell.  The linker's --wrap puts it in front.
 */
#include <unistd.h>

long __real_sysconf(int name);
long __wrap_sysconf(int name);

long __wrap_sysconf(int name)
{
	return name == _SC_PAGESIZE ? 16384 : __real_sysconf(name);
}
