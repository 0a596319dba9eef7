/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target on files, so that a corpus is a test without libFuzzer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int
replay(const char *path)
{
	static uint8_t buf[4 << 20];
	FILE *f = fopen(path, "rb");

	if (!f) {
		perror(path);
		return 1;
	}
	size_t len = fread(buf, 1, sizeof(buf), f);
	(void)fclose(f);

	/* A copy of the exact size: the sanitizer sees a read past the end. */
	uint8_t *exact = malloc(len ? len : 1);
	if (!exact)
		return 1;
	for (size_t i = 0; i < len; i++)
		exact[i] = buf[i];
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 0;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed += replay(argv[i]);
	printf("%d inputs replayed\n", argc - 1);
	return failed ? 1 : 0;
}
