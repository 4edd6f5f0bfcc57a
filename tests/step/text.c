// SPDX-License-Identifier: MIT
#include "text.h"

#include <pkmap/pkmap.h>

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYMBOL_TYPE(s) ((s)->st_info & 0xf)

/* On ARM the lowest bit of an address marks Thumb code. */
#ifdef __arm__
#define CODE_ADDRESS(a) ((a) & ~(uintptr_t)1)
#else
#define CODE_ADDRESS(a) (a)
#endif

#define MAX_TEXT (256 * 1024)

typedef ElfW(Sym) symbol;

static const char *file; /* the program, mapped whole */
static const symbol *symbols;
static size_t nsymbols;
static const char *names;

static uintptr_t bias;	    /* where the program was loaded */
static uintptr_t low, high; /* the library's code */
static unsigned char interrupted[MAX_TEXT];

static const char *name_of(const symbol *s)
{
	return names + s->st_name;
}

static uintptr_t start_of(const symbol *s)
{
	return bias + CODE_ADDRESS((uintptr_t)s->st_value);
}

/* The compiler moves unlikely code elsewhere, under names with ".cold". */
static bool is_library_call(const symbol *s)
{
	return SYMBOL_TYPE(s) == STT_FUNC && s->st_size &&
	       !strncmp(name_of(s), "pkmap_", strlen("pkmap_")) &&
	       !strstr(name_of(s), ".cold");
}

/*
 * The linker keeps an archive's members together, so static functions lie
 * between the public ones.
 */
static bool is_library_function(const symbol *s)
{
	return SYMBOL_TYPE(s) == STT_FUNC && s->st_size && start_of(s) >= low &&
	       start_of(s) < high;
}

static bool map_program(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0)
		return false;
	if (fstat(fd, &st)) {
		close(fd);
		return false;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	file = map;
	return map != MAP_FAILED;
}

static void find_symbols(void)
{
	const ElfW(Ehdr) *elf = (const void *)file;
	const ElfW(Shdr) *sections = (const void *)(file + elf->e_shoff);
	size_t i;

	for (i = 0; i < elf->e_shnum; i++) {
		if (sections[i].sh_type != SHT_SYMTAB)
			continue;
		symbols = (const void *)(file + sections[i].sh_offset);
		nsymbols = sections[i].sh_size / sizeof(*symbols);
		names = file + sections[sections[i].sh_link].sh_offset;
	}
}

static void find_bias(void)
{
	size_t i;

	for (i = 0; i < nsymbols; i++)
		if (is_library_call(&symbols[i]) &&
		    !strcmp(name_of(&symbols[i]), "pkmap_map"))
			bias = (uintptr_t)pkmap_map -
			       (uintptr_t)symbols[i].st_value;
}

static void find_library(void)
{
	size_t i;

	low = UINTPTR_MAX;
	for (i = 0; i < nsymbols; i++) {
		const symbol *s = &symbols[i];

		if (!is_library_call(s))
			continue;
		if (start_of(s) < low)
			low = start_of(s);
		if (start_of(s) + s->st_size > high)
			high = start_of(s) + s->st_size;
	}
}

bool text_open(void)
{
	if (!map_program()) {
		puts("# cannot read /proc/self/exe");
		return false;
	}
	find_symbols();
	find_bias();
	find_library();
	if (low >= high || high - low > MAX_TEXT ||
	    text_contains((uintptr_t)text_open)) {
		puts("# the symbol table does not tell where the library is");
		return false;
	}
	return true;
}

bool text_contains(uintptr_t pc)
{
	return pc >= low && pc < high;
}

const char *text_function(uintptr_t pc)
{
	size_t i;

	for (i = 0; i < nsymbols; i++)
		if (is_library_function(&symbols[i]) &&
		    pc - start_of(&symbols[i]) < symbols[i].st_size)
			return name_of(&symbols[i]);
	return "?";
}

void text_interrupted(uintptr_t pc)
{
	interrupted[pc - low] = 1;
}

static size_t count_range(uintptr_t start, size_t size)
{
	size_t n = 0;
	size_t i;

	for (i = start - low; i < start - low + size; i++)
		n += interrupted[i];
	return n;
}

size_t text_count(void)
{
	return count_range(low, high - low);
}

bool text_was_interrupted(const char *name)
{
	size_t i;

	for (i = 0; i < nsymbols; i++)
		if (is_library_function(&symbols[i]) &&
		    !strcmp(name_of(&symbols[i]), name))
			return count_range(start_of(&symbols[i]),
					   symbols[i].st_size);
	return false;
}

void text_print(void)
{
	size_t i;

	for (i = 0; i < nsymbols; i++)
		if (is_library_function(&symbols[i]))
			printf("# %6zu in %s (%lu bytes)\n",
			       count_range(start_of(&symbols[i]),
					   symbols[i].st_size),
			       name_of(&symbols[i]),
			       (unsigned long)symbols[i].st_size);
}
