/* SPDX-License-Identifier: MIT */
/*
 * Running the host's shell: $SHELL -c TEXT, as mdb does.  Our own output is
 * flushed first, so that the two come in order.
 */
#include "mdb/shell/bang.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
child(const char *text, int input)
{
	const char *shell = getenv("SHELL");

	if (shell == NULL || shell[0] != '/')
		shell = "/bin/sh";
	(void)signal(SIGPIPE, SIG_DFL);
	if (input >= 0)
		(void)dup2(input, STDIN_FILENO);
	(void)execl(shell, shell, "-c", text, (char *)NULL);
	_exit(127);
}

static enum mdb_status
start(struct mdb_ctx *cx, const char *text, int input, int *pid_out)
{
	struct mdb_session *s = cx->session;
	pid_t pid;

	if (!s->opts.allow_shell)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"shell commands are not allowed here");
	mdb_sink_flush(s->out);
	mdb_sink_flush(s->err);
	pid = fork();
	if (pid < 0)
		return mdb_fail(cx, MDB_E_SYSTEM, "starting a shell: %s",
			strerror(errno));
	if (pid == 0)
		child(text, input);
	*pid_out = (int)pid;
	return MDB_OK;
}

static void
wait_for(int pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

enum mdb_status
mdb_bang_run(struct mdb_ctx *cx, const char *text)
{
	enum mdb_status st;
	int pid = -1;

	st = start(cx, text, -1, &pid);
	if (st == MDB_OK)
		wait_for(pid);
	return st;
}

enum mdb_status
mdb_bang_open(struct mdb_ctx *cx, const char *text, struct mdb_bang *bang_out)
{
	enum mdb_status st;
	int fds[2];
	int pid = -1;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return mdb_fail(cx, MDB_E_SYSTEM, "making a pipe: %s",
			strerror(errno));
	st = start(cx, text, fds[0], &pid);
	(void)close(fds[0]);
	if (st != MDB_OK) {
		(void)close(fds[1]);
		return st;
	}
	*bang_out = (struct mdb_bang){ pid, fds[1], mdb_sink_create(fds[1]) };
	return MDB_OK;
}

void
mdb_bang_close(struct mdb_bang *bang)
{
	mdb_sink_destroy(bang->sink);
	(void)close(bang->fd);
	wait_for(bang->pid);
}
