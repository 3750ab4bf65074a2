// Package ratelimit says whether one more call is within a rate: exactly and for
// all processes together while Redis answers, for this process alone while it
// does not. It has no errors and keeps nobody waiting for an outage. It knows
// nothing of HTTP, of tokens or of what a key stands for: the caller builds keys,
// and puts into them whatever must be counted apart (route, subject, address).
//
// # How it counts
//
// By GCRA: for each key one moment is kept, the theoretical arrival time (tat), at
// which everything that was let through would have come had it come evenly. A call
// moves it on by Per/Limit. It may lie up to Burst such steps ahead of now; a call
// that would move it further is refused and moves nothing. So there are no windows
// at whose edge twice the rate passes, and a refused caller does not make his wait
// longer by asking.
//
// # While Redis is away
//
// After an error Redis is left alone for a second, then one call tries it again;
// the others are counted here and do not wait. Local counting starts from nothing:
// each process gives each key its whole burst once more, and n processes let
// through n times the rate. The keys counted last are kept, at most 65,536.
package ratelimit
