package server

import (
	"context"
	"log"
	"log/slog"
	"strings"
)

// errorLog takes the lines of net/http.
type errorLog struct{ log *slog.Logger }

func newErrorLog(to *slog.Logger) *log.Logger { return log.New(errorLog{to}, "", 0) }

// Write implements io.Writer: one line, as a warning. A handshake that fails is
// what every open TLS port sees all day, from scanners and from those who leave
// half way: it goes to the debug level, where nobody can flood the log with it.
func (e errorLog) Write(p []byte) (int, error) {
	line := strings.TrimSuffix(string(p), "\n")
	level := slog.LevelWarn
	if strings.HasPrefix(line, "http: TLS handshake error") {
		level = slog.LevelDebug
	}
	e.log.Log(context.Background(), level, line)
	return len(p), nil
}
