package apiclient

import (
	"io"
	"net"
	"sync"
)

// tunnel is what a proxy does with a CONNECT: it joins the session to address.
func (s *session) tunnel(address string) {
	if !s.read() {
		return
	}
	onward, err := net.Dial("tcp", address)
	if err != nil {
		s.send(reply(502, ""))
		return
	}
	s.send("HTTP/1.1 200 Connected\r\n\r\n")
	var both sync.WaitGroup
	both.Go(func() { copyAndClose(onward, s.in) })
	both.Go(func() { copyAndClose(s, onward) })
	both.Wait()
}

// copyAndClose ends the other direction too: nothing here is half closed.
func copyAndClose(to io.WriteCloser, from io.Reader) {
	_, _ = io.Copy(to, from)
	to.Close()
}
