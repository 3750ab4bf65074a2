package wire

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// chunkState is where in the chunked coding a reader is, RFC 9112 section 7.1.
type chunkState uint8

const (
	chunkSize chunkState = iota // before a size
	chunkData                   // in the data
	chunkEnd                    // before the CRLF behind the data
)

// maxChunkLine bounds a size with its extensions, which nobody needs.
const maxChunkLine = 4 << 10

// nextOfChunks returns the next piece of a chunked body.
func (a *Answer) nextOfChunks() ([]byte, error) {
	for {
		switch a.chunk {
		case chunkData:
			if a.left > 0 {
				return a.piece()
			}
			a.chunk = chunkEnd
		case chunkEnd:
			line, err := a.line(maxChunkLine)
			if err != nil {
				return nil, err
			}
			if line != "" {
				return nil, fmt.Errorf("%w: a chunk longer than its size", ErrProtocol)
			}
			a.chunk = chunkSize
		case chunkSize:
			if a.done {
				return nil, io.EOF
			}
			line, err := a.line(maxChunkLine)
			if err != nil {
				return nil, err
			}
			if a.left, err = parseChunkSize(line); err != nil {
				return nil, err
			}
			if a.left == 0 {
				return nil, a.readTrailer()
			}
			a.chunk = chunkData
		}
	}
}

// line takes a line off the connection.
func (a *Answer) line(limit int) (string, error) {
	for {
		have := a.c.buffered()
		if i := bytes.IndexByte(have, '\n'); i >= 0 {
			line, _, ok := cutLine(string(have[:i+1]))
			if !ok {
				return "", fmt.Errorf("%w: a line of the chunked coding ends without CR", ErrProtocol)
			}
			a.c.from += i + 1
			return line, nil
		}
		if len(have) >= limit {
			return "", fmt.Errorf("%w: a line of the chunked coding is too long", ErrProtocol)
		}
		if err := a.c.fill(max(limit, len(a.c.buf))); err != nil {
			return "", err
		}
	}
}

// parseChunkSize reads hexadecimal digits, and passes over extensions. Blanks may pad
// the digits up to the line's end, and stand nowhere else: what follows them, a reader
// might take for more digits.
func parseChunkSize(line string) (int64, error) {
	var n int64
	i := 0
	for ; i < len(line) && line[i] != ';' && line[i] != ' ' && line[i] != '\t'; i++ {
		d := int64(0)
		switch c := line[i]; {
		case '0' <= c && c <= '9':
			d = int64(c - '0')
		case 'a' <= c && c <= 'f':
			d = int64(c-'a') + 10
		case 'A' <= c && c <= 'F':
			d = int64(c-'A') + 10
		default:
			return 0, fmt.Errorf("%w: a chunk's size", ErrProtocol)
		}
		if i == 15 {
			return 0, fmt.Errorf("%w: a chunk's size is too large", ErrProtocol)
		}
		n = n<<4 | d
	}
	rest := line[i:]
	if i == 0 || !sound(rest) || rest != "" && rest[0] != ';' && strings.Trim(rest, " \t") != "" {
		return 0, fmt.Errorf("%w: a chunk's size", ErrProtocol)
	}
	return n, nil
}

// readTrailer reads what stands behind the last chunk, and ends with io.EOF. What
// frames or routes a message has no business there (RFC 9110 section 6.5.1).
func (a *Answer) readTrailer() error {
	size := 0
	for {
		line, err := a.line(maxHead)
		if err != nil {
			return err
		}
		if line == "" {
			a.done = true
			return io.EOF
		}
		if size += len(line); size > maxHead || len(a.trailer) == maxFields {
			return fmt.Errorf("%w: its trailer is too long", ErrProtocol)
		}
		f, err := parseField(line)
		if err != nil {
			return err
		}
		if !ofConnection(f.Name) {
			a.trailer = append(a.trailer, f)
		}
	}
}
