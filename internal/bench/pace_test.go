//go:build bench

package bench

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// mustPace asks at that rate for ten seconds over so many connections, and returns how
// long answers took, in order, each counted from when its question was due. A thread for
// each connection sleeps in the kernel until then: the timers of event loops wake every
// millisecond, and all that is due in it would arrive at once.
func (s *site) mustPace(addr string, rate float64) []time.Duration {
	s.t.Helper()
	const lasts = 10 * time.Second
	every := time.Duration(float64(*conns) / rate * float64(time.Second))
	question := "GET / HTTP/1.1\r\nHost: " + addr + "\r\nAuthorization: Bearer " + s.first(s.warm["ES256"]) + "\r\n\r\n"
	begin := time.Now().Add(100 * time.Millisecond)
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		times []time.Duration
	)
	for i := range *conns {
		all.Go(func() {
			mine, err := pace(addr, question, begin.Add(every*time.Duration(i)/time.Duration(*conns)), every, int(lasts/every))
			mu.Lock()
			defer mu.Unlock()
			times = append(times, mine...)
			if err != nil {
				s.t.Error(err)
			}
		})
	}
	all.Wait()
	if s.t.Failed() {
		s.t.FailNow()
	}
	slices.Sort(times)
	return times
}

// pace asks n times on one connection, on core 1.
func pace(addr, question string, first time.Time, every time.Duration, n int) ([]time.Duration, error) {
	// The thread must not end with the goroutine: what it has started would be killed.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := stayOn(1 << 1); err != nil {
		return nil, err
	}
	defer func() { _ = stayOn(^uint64(0)) }()
	fd, err := connect(addr)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	times := make([]time.Duration, 0, n)
	answer := make([]byte, 64<<10)
	for i := range n {
		due := first.Add(every * time.Duration(i))
		if wait := time.Until(due); wait > 0 {
			rest := syscall.NsecToTimespec(int64(wait))
			_ = syscall.Nanosleep(&rest, nil)
		}
		if _, err := syscall.Write(fd, []byte(question)); err != nil {
			return times, err
		}
		got := 0
		for !bytes.HasSuffix(answer[:got], []byte("\"}")) { // as the back end's body ends
			m, err := syscall.Read(fd, answer[got:])
			if err == syscall.EINTR {
				continue
			}
			if err != nil || m == 0 {
				return times, errors.Join(fmt.Errorf("answer %d ended after %d bytes", i, got), err)
			}
			got += m
		}
		times = append(times, time.Since(due))
		if !bytes.HasPrefix(answer[:got], []byte("HTTP/1.1 200 ")) {
			return times, fmt.Errorf("answer %d: %q", i, answer[:min(got, 100)])
		}
	}
	return times, nil
}

// connect returns a blocking socket.
func connect(addr string) (int, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return 0, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}); err != nil {
		syscall.Close(fd)
		return 0, err
	}
	return fd, syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
}

// stayOn binds the thread to the cores of a mask.
func stayOn(mask uint64) error {
	if _, _, err := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask))); err != 0 {
		return err
	}
	return nil
}
