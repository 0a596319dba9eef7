# SPDX-License-Identifier: MIT
"""A disk that does as a test says: a server of QEMU's network block device
over a file (the protocol: NetworkBlockDevice/nbd, doc/proto.md).

A rule sees each request before it is done.  What comes is answered in order,
one at a time.
"""
import errno
import os
import socket
import struct
import threading

OPT_MAGIC = b"IHAVEOPT"
REP_MAGIC = 0x3e889045565a9
REQUEST_MAGIC, REPLY_MAGIC = 0x25609513, 0x67446698
OPT_ABORT, OPT_GO = 2, 7
REP_ACK, REP_INFO, REP_UNSUPPORTED = 1, 3, 0x80000001
FLAGS = 1 | 4  # there are flags; it takes FLUSH
READ, WRITE, DISC, FLUSH = range(4)


class Gone(Exception):
    """The client has hung up."""


class Server(threading.Thread):
    """Serves path at the unix socket sock, to one client.

    rule(op, offset, length), if any, returns None or an errno to answer with;
    it may wait.  With a log each write and flush that was done goes there, as
    (offset, bytes) and None.
    """

    def __init__(self, sock, path, rule=None, log=None):
        super().__init__(daemon=True)
        self.rule, self.log = rule, log
        self.nr_writes = 0
        self.fd = os.open(path, os.O_RDWR)
        self.size = os.fstat(self.fd).st_size
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(sock)
        self.listener.listen(1)
        self.sock, self.conn = sock, None
        self.start()

    def run(self):
        try:
            self.conn, _ = self.listener.accept()
            if self.greet():
                self.serve()
        except (OSError, Gone):
            pass
        finally:
            self.hang_up()

    def hang_up(self):
        """As a device that was pulled: every request fails from now on."""
        for s in self.conn, self.listener:
            if s:
                s.close()

    def close(self):
        try:
            # A thread that waits for a client is woken.
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.join(5)
        self.hang_up()
        os.close(self.fd)
        os.unlink(self.sock)

    def take(self, n):
        data = bytearray()
        while len(data) < n:
            part = self.conn.recv(n - len(data))
            if not part:
                raise Gone
            data += part
        return bytes(data)

    def answer(self, option, kind, data=b""):
        self.conn.sendall(struct.pack(">QIII", REP_MAGIC, option, kind,
                                      len(data)) + data)

    def greet(self):
        self.conn.sendall(b"NBDMAGIC" + OPT_MAGIC + struct.pack(">H", 3))
        self.take(4)
        while True:
            _, option, n = struct.unpack(">8sII", self.take(16))
            self.take(n)
            if option == OPT_GO:
                self.answer(option, REP_INFO,
                            struct.pack(">HQH", 0, self.size, FLAGS))
                self.answer(option, REP_ACK)
                return True
            if option == OPT_ABORT:
                return False
            self.answer(option, REP_UNSUPPORTED)

    def serve(self):
        while True:
            _, _, op, handle, offset, n = struct.unpack(">IHHQQI", self.take(28))
            data = self.take(n) if op == WRITE else b""
            if op == DISC:
                return
            error = self.rule(op, offset, n) if self.rule else None
            if not error:
                error, data = self.do(op, offset, n, data)
            self.conn.sendall(struct.pack(">IIQ", REPLY_MAGIC, error, handle) +
                              (data if op == READ and not error else b""))

    def do(self, op, offset, n, data):
        if op == READ:
            return 0, os.pread(self.fd, n, offset).ljust(n, b"\0")
        if op == WRITE:
            os.pwrite(self.fd, data, offset)
            self.nr_writes += 1
        elif op != FLUSH:
            return errno.EINVAL, b""
        if self.log is not None:
            self.log.append((offset, data) if op == WRITE else None)
        return 0, b""
