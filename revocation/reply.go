package revocation

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// errReply says that a script answered with something that it never answers.
// Nothing is read out of such a reply: it may belong to somebody else.
var errReply = errors.New("reply of an unexpected shape")

// texts turns a script's list into strings; every element must be one.
func texts(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, errReply
	}
	out := make([]string, len(list))
	for i, e := range list {
		if out[i], ok = e.(string); !ok {
			return nil, errReply
		}
	}
	return out, nil
}

// number reads a whole number, not negative, as scripts write them.
func number(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, errReply
	}
	return n, nil
}

// checkHead is how many elements the reply of check.lua has before its entries.
const checkHead = 7

// parsePulse reads from the reply of check.lua how old the latest heartbeat is that
// replicas have confirmed. Without one, knowledge is as old as can be.
func parsePulse(reply []string) (time.Duration, error) {
	text := reply[checkHead-1]
	if text == "" {
		return math.MaxInt64, nil
	}
	age, err := number(text)
	if err != nil || age > math.MaxInt64/int64(time.Microsecond) {
		return 0, fmt.Errorf("heartbeat: %w", errReply)
	}
	return time.Duration(age) * time.Microsecond, nil
}

// parseCheck reads the reply of check.lua about probes. The first probe's digest
// must come back, and every entry must be of the kind that was asked for.
func parseCheck(reply []string, echo string, probes []probe) (Epoch, []int64, error) {
	const head = checkHead
	if len(reply) != head+2*len(probes) || reply[5] != echo {
		return Epoch{}, nil, errReply
	}
	var nums [4]int64
	for i := range nums {
		var err error
		if nums[i], err = number(reply[i+1]); err != nil {
			return Epoch{}, nil, fmt.Errorf("epoch: %w", err)
		}
	}
	e := Epoch{ID: reply[0], Born: nums[0], CompleteSince: nums[1], N: uint64(nums[2]), Clock: nums[3]}
	cuts := make([]int64, len(probes))
	for i, p := range probes {
		kind, text := reply[head+2*i], reply[head+2*i+1]
		cut, err := number(text)
		if err != nil {
			return Epoch{}, nil, fmt.Errorf("entry: %w", err)
		}
		if kind != string(p.kind) && (kind != "" || cut != 0) {
			return Epoch{}, nil, fmt.Errorf("entry of another kind: %w", errReply)
		}
		cuts[i] = cut
	}
	return e, cuts, nil
}

// parseEntry reads the fields and values of an entry's hash. An empty list is no
// entry: nil without an error.
func parseEntry(d Digest, v any) (*entry, error) {
	flat, err := texts(v)
	if err != nil || len(flat)%2 != 0 {
		return nil, fmt.Errorf("entry: %w", errReply)
	}
	if len(flat) == 0 {
		return nil, nil
	}
	e := &entry{digest: d}
	for i := 0; i < len(flat); i += 2 {
		if err := e.setField(flat[i], flat[i+1]); err != nil {
			return nil, fmt.Errorf("entry: %w", err)
		}
	}
	e.sort()
	e.told.N, e.told.Digest, e.told.Kind, e.told.Below = e.n, d, e.kind, e.below()
	return e, nil
}

// setField takes one field of the hash. Fields of later versions are passed over.
func (e *entry) setField(name, value string) error {
	switch name {
	case "k":
		e.kind = Kind(value)
	case "iss":
		e.issuer = value
	case "id":
		e.value = value
	case "sub":
		e.subject = value
	case "n":
		n, err := number(value)
		e.n = uint64(n)
		return err
	case "cut":
		return setNumber(&e.told.Cut, value)
	case "at":
		return setNumber(&e.told.At, value)
	case "exp":
		return setNumber(&e.told.ExpiresAt, value)
	case "u":
		return setNumber(&e.told.Undone, value)
	}
	at, ok := strings.CutPrefix(name, "s:")
	if !ok {
		return nil
	}
	s, err := parseStatement(at, value)
	if err == nil {
		e.statements = append(e.statements, s)
	}
	return err
}

func setNumber(to *int64, text string) (err error) {
	*to, err = number(text)
	return err
}

// parseStatement reads one statement. Its numbers are texts: cjson would round
// them to 14 digits.
func parseStatement(at, value string) (statement, error) {
	var doc struct {
		Why  string `json:"why"`
		Who  string `json:"who"`
		Exp  string `json:"exp"`
		Undo string `json:"u"`
	}
	if err := json.Unmarshal([]byte(value), &doc); err != nil {
		return statement{}, fmt.Errorf("statement: %w", err)
	}
	if doc.Undo == "" {
		doc.Undo = "0"
	}
	s := statement{why: doc.Why, who: doc.Who}
	for _, f := range [...]struct {
		to   *int64
		text string
	}{{&s.at, at}, {&s.exp, doc.Exp}, {&s.undone, doc.Undo}} {
		n, err := number(f.text)
		if err != nil {
			return statement{}, fmt.Errorf("statement: %w", err)
		}
		*f.to = n
	}
	return s, nil
}
