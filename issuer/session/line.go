package session

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// What a record keeps of its spent refresh tokens: about 55 bytes for each whose client has
// not changed.
const (
	maxSpent        = 5
	maxRefreshAgent = 100
	betweenFields   = "\x1f"
)

// lineOf reads a record's line of refresh tokens, the newest first. Each was spent when
// the next was issued.
func lineOf(fields map[string]string, s *Session) ([]Refreshed, error) {
	if s.Generation == 0 {
		return nil, nil
	}
	from := cmp.Or(fields["from"], "1\x1f=\x1f=")
	now, err := refreshedOf(strings.Join([]string{fields["rj"], fields["ri"], from}, betweenFields), s)
	if err != nil {
		return nil, err
	}
	if now.Generation != s.Generation {
		return nil, fmt.Errorf("line: from is of generation %d", now.Generation)
	}
	out := []Refreshed{now}
	for n := range int64(maxSpent) {
		generation := s.Generation - 1 - n
		text := fields["l"+strconv.FormatInt(generation%maxSpent, 10)]
		if text == "" || generation < 1 {
			break
		}
		one, err := refreshedOf(text, s)
		if err != nil {
			return nil, err
		}
		if one.Generation != generation { // damaged, and so are those before it
			break
		}
		one.SpentAt = out[len(out)-1].IssuedAt
		out = append(out, one)
	}
	return out, nil
}

// refreshedOf reads jti, iat, generation, address and agent.
func refreshedOf(text string, s *Session) (Refreshed, error) {
	parts := strings.Split(text, betweenFields)
	if len(parts) != 5 {
		return Refreshed{}, fmt.Errorf("line: %d parts", len(parts))
	}
	issued, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return Refreshed{}, fmt.Errorf("line: %w", err)
	}
	generation, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return Refreshed{}, fmt.Errorf("line: %w", err)
	}
	return Refreshed{
		Generation: generation, JTI: parts[0], IssuedAt: moment(issued),
		Address: asAtLogin(parts[3], s.Address), Agent: asAtLogin(parts[4], s.Agent),
	}, nil
}

func asAtLogin(text, first string) string {
	if text == "=" {
		return first
	}
	return strings.TrimPrefix(text, "~")
}
