// SPDX-License-Identifier: MIT
#include "pump.h"
#include "stop.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

static void show_progress(struct progress *progress, const char *path,
			  off_t done)
{
	char text[SIZE_TEXT];

	if (progress_due(progress))
		progress_show(progress, "comparing: %s of %s",
			      size_text(text, (double)done), path);
}

static int hash_contents(EVP_MD_CTX *context, int fd, const char *path,
			 struct progress *progress, struct failure *failure)
{
	static char buffer[1 << 18];
	off_t done = 0;
	ssize_t n;

	while ((n = pread(fd, buffer, sizeof(buffer), done)) > 0) {
		if (stop_requested())
			return fail(failure, 0, "interrupted");
		if (!EVP_DigestUpdate(context, buffer, (size_t)n))
			return fail(failure, 0, "cannot compute SHA-256");
		done += n;
		show_progress(progress, path, done);
	}
	if (n < 0)
		return fail(failure, errno, "cannot read %s", path);
	return 0;
}

int sha256_file(int fd, const char *path, struct progress *progress,
		struct failure *failure, char text[SHA256_TEXT])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int len;
	int err = -1;

	if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL)) {
		fail(failure, 0, "cannot compute SHA-256");
		goto out;
	}
	err = hash_contents(context, fd, path, progress, failure);
	if (err)
		goto out;
	if (!EVP_DigestFinal_ex(context, hash, &len)) {
		err = fail(failure, 0, "cannot compute SHA-256");
		goto out;
	}
	for (unsigned int i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", hash[i]);
out:
	EVP_MD_CTX_free(context);
	return err;
}
