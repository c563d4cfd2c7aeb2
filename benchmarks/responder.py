"""
An SQS that accepts everything: ``python -P -m benchmarks.responder PORT``.

No emulator is fast enough to measure our client. This one reads a request, looks for the ids of its entries and responds with
success, over kept-alive connections. It keeps nothing and checks nothing.
"""

import re
import socketserver
import sys

from tailrace.dev.loopback import HOST

LISTENING = "listening"
_ENTRY = re.compile(rb'"Id": ?"([A-Za-z0-9_-]{1,80})"')  # a quote within a message's body is escaped: this cannot match there
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n"
_RESPONSE = (
    b'"MD5OfMessageBody":"%s","MessageId":"5fea7756-0ea4-451a-a703-a558b933e274","SequenceNumber":"18849496460467696128"'
)
_ANSWERED = _RESPONSE % (b"0" * 32)  # clients do not verify it


class Connection(socketserver.StreamRequestHandler):
    """Serve one connection until the client closes it."""

    rbufsize = 262_144  # bytes
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while head := self._head():
            body = self.rfile.read(int(head[b"content-length"]))
            response = answered(head[b"x-amz-target"], body)
            self.request.sendall(_HEAD % len(response) + response)

    def _head(self) -> dict[bytes, bytes]:
        head = {}
        while line := self.rfile.readline().strip():
            name, _, value = line.partition(b":")
            head[name.lower()] = value.strip()
        return head


class Responder(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def answered(target: bytes, body: bytes) -> bytes:
    """Return the JSON with which SQS accepts every entry."""
    if target.endswith(b"GetQueueAttributes"):
        return (
            b'{"Attributes":{"FifoQueue":"true","DeduplicationScope":"messageGroup","FifoThroughputLimit":"perMessageGroupId"}}'
        )
    if not target.endswith(b"Batch"):
        return b"{%b}" % _ANSWERED
    entries = (b'{"Id":"%b",%b}' % (entry, _ANSWERED) for entry in _ENTRY.findall(body))
    return b'{"Successful":[%b],"Failed":[]}' % b",".join(entries)


if __name__ == "__main__":
    with Responder((HOST, int(sys.argv[1])), Connection) as responder:
        print(LISTENING, flush=True)
        responder.serve_forever()
