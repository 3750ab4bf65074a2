package server

// CloseListener breaks a listener under a running server.
func (s *Server) CloseListener(name string) {
	for _, l := range s.servers {
		if l.name == name {
			_ = l.net.Close()
		}
	}
}
