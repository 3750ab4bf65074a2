package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed scripts/answer_begin.lua
	answerBeginLua string
	//go:embed scripts/answer_settle.lua
	answerSettleLua string
)

// AnswerLife is how long an answer is kept for the request that asks again.
const AnswerLife = 24 * time.Hour

var (
	// ErrRunning says that the first request with an idempotency key has no answer yet.
	ErrRunning = errors.New("store: the first request runs still")
	// ErrReused says that an idempotency key came with another request before.
	ErrReused = errors.New("store: the key belongs to another request")
)

// Answer is what a request was answered.
type Answer struct {
	Status int    `json:"status"`
	Type   string `json:"type"` // media type; empty without a body
	Body   []byte `json:"body"`
}

// Answers keeps the answers of requests that carry an idempotency key, in Redis. An
// answer may show a secret that nobody can show again, and a request may carry a
// password: both are sealed, and of the key nothing but a MAC is kept. It is safe
// for concurrent use.
type Answers struct {
	client        redis.UniversalClient
	names         answerNames
	secret        []byte
	begin, settle *redis.Script
}

// NewAnswers returns the answers under prefix ("tg:"), sealed under a secret that all
// processes share. Under another secret they are not found. It does not connect.
func NewAnswers(client redis.UniversalClient, prefix, secret string) *Answers {
	return &Answers{
		client: client, names: answerNames{prefix}, secret: []byte(secret),
		begin: redis.NewScript(answerBeginLua), settle: redis.NewScript(answerSettleLua),
	}
}

// Attempt is a request that may come again.
type Attempt struct {
	Actor string // who asks: keys of others are others
	Key   string // the idempotency key
	// Request is a digest of what is asked.
	Request [sha256.Size]byte
	// Within is the longest that the request can take; after it the key is free again.
	Within time.Duration
}

// Place is held by a request that runs.
type Place struct {
	answers *Answers
	name    string
	held    string
	seal    sealed
	request [sha256.Size]byte
}

// Begin takes a request's place, or returns the answer that it had before: one of the
// two is nil. ErrRunning, ErrReused; after ErrUnavailable the place may be taken.
func (s *Answers) Begin(ctx context.Context, a Attempt) (*Place, *Answer, error) {
	seal, mac, err := sealOf(s.secret, a.Actor, a.Key)
	if err != nil {
		return nil, nil, err
	}
	p := &Place{answers: s, name: s.names.answer(mac), seal: seal, request: a.Request}
	running, err := seal.close(record{Request: a.Request[:]})
	if err != nil {
		return nil, nil, err
	}
	p.held = running
	there, err := s.begin.Run(ctx, s.client, []string{p.name}, running, max(a.Within.Milliseconds(), 1)).Text()
	switch {
	case isNil(err):
		return p, nil, nil
	case err != nil:
		return nil, nil, unavailable("take the place of an answer", err)
	}
	found, err := seal.open(there)
	switch {
	case err != nil:
		return nil, nil, err
	case !bytes.Equal(found.Request, a.Request[:]):
		return nil, nil, ErrReused
	case found.Answer == nil:
		return nil, nil, ErrRunning
	}
	return nil, found.Answer, nil
}

// Keep keeps the request's answer for AnswerLife. It reports whether the place was
// still the request's own.
func (p *Place) Keep(ctx context.Context, a Answer) (bool, error) {
	text, err := p.seal.close(record{Request: p.request[:], Answer: &a})
	if err != nil {
		return false, err
	}
	return p.put(ctx, text)
}

// Free gives the place back: the next request with the key is a first one.
func (p *Place) Free(ctx context.Context) error {
	_, err := p.put(ctx, "")
	return err
}

func (p *Place) put(ctx context.Context, text string) (bool, error) {
	done, err := p.answers.settle.Run(ctx, p.answers.client, []string{p.name}, p.held, text, AnswerLife.Milliseconds()).Int()
	if err != nil {
		return false, unavailable("keep an answer", err)
	}
	return done == 1, nil
}
