// SPDX-License-Identifier: MIT
/* Maps two pages of high memory, copies one to the other, pins the copy. */
#include <pkmap/posix.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	const struct pkmap_posix_config config = { .fd = -1, .npages = 4096 };
	const pkmap_pfn pfns[2] = { 17, 4000 };
	struct pkmap_window *win;
	struct pkmap_posix *hm;
	void *addrs[2];
	char *pinned;
	int err;

	err = pkmap_posix_open(&config, &hm);
	if (err)
		goto out;
	win = pkmap_posix_window(hm);

	/* A task: may sleep until two slots are free. */
	err = pkmap_map_pages(win, pfns, 2, NULL, addrs);
	if (err)
		goto close;
	strcpy(addrs[0], "hello from page 17");
	memcpy(addrs[1], addrs[0], pkmap_posix_page_size(hm));
	pkmap_unmap(win, addrs[0]);
	pkmap_unmap(win, addrs[1]);

	/* An interrupt: where is page 4000, and will it stay there? */
	pinned = pkmap_pin(win, 4000);
	if (pinned) {
		printf("page 4000 says: %s\n", pinned);
		pkmap_unmap(win, pinned);
	}
close:
	pkmap_posix_close(hm);
out:
	if (err)
		fprintf(stderr, "copy_page: %s\n", pkmap_strerror(err));
	return err ? 1 : 0;
}
