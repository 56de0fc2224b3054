package gateway

import (
	"container/list"
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"point"
)

// overhead is what a kept answer takes beside its bytes, about.
const overhead = 512

// Answers are kept in memory, those longest not asked for go first. They end with the process.
type Answers struct {
	most int64 // bytes
	now  func() time.Time

	mu     sync.Mutex
	size   int64
	byName map[[sha256.Size]byte]*list.Element
	recent *list.List // of *kept, the last one asked for first
}

type kept struct {
	name   [sha256.Size]byte
	answer *point.CachedAnswer
	until  time.Time
}

// NewAnswers keeps at most so many bytes.
func NewAnswers(most int64) *Answers {
	return &Answers{most: most, now: time.Now, byName: map[[sha256.Size]byte]*list.Element{}, recent: list.New()}
}

// Get is the answer that is kept under name, nil if there is none.
func (a *Answers) Get(_ context.Context, name [sha256.Size]byte) *point.CachedAnswer {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.byName[name]
	if !ok {
		return nil
	}
	k := e.Value.(*kept)
	if !a.now().Before(k.until) {
		a.remove(e)
		return nil
	}
	a.recent.MoveToFront(e)
	return k.answer
}

// Put keeps an answer for ttl at most.
func (a *Answers) Put(_ context.Context, name [sha256.Size]byte, answer *point.CachedAnswer, ttl time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e, ok := a.byName[name]; ok {
		a.remove(e)
	}
	if answer.Size+overhead > a.most {
		return
	}
	a.size += answer.Size + overhead
	a.byName[name] = a.recent.PushFront(&kept{name, answer, a.now().Add(ttl)})
	for a.size > a.most {
		a.remove(a.recent.Back())
	}
}

func (a *Answers) remove(e *list.Element) {
	k := a.recent.Remove(e).(*kept)
	delete(a.byName, k.name)
	a.size -= k.answer.Size + overhead
}
