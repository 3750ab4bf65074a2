package testkit

import (
	"bytes"
	"strings"
	"sync"
)

// Buffer takes what others write, a log for instance, and can be read meanwhile. Its
// zero value is empty.
type Buffer struct {
	mu   sync.Mutex // owns text
	text bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns what was written up to now.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Count returns how often part stands in what was written up to now.
func (b *Buffer) Count(part string) int { return strings.Count(b.String(), part) }
