package wire

import "sync"

// largeSize is that of the buffers for long bodies.
const largeSize = 32 << 10

// buffers lends large buffers.
type buffers struct{ pool sync.Pool }

func (b *buffers) get() *[]byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return p
	}
	p := make([]byte, largeSize)
	return &p
}

func (b *buffers) put(p *[]byte) { b.pool.Put(p) }
