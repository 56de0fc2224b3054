package gateway

import "sync"

// Budgets bound repeats on the same target to a share of its first attempts, so that a
// provider in trouble is not buried. Moving on to another target is not a repeat.
type Budgets struct{ byProvider sync.Map }

// budgetBurst is how many repeats may be saved up, and what a provider starts with.
const budgetBurst = 10

type budget struct {
	mu    sync.Mutex
	saved float64
}

func (b *Budgets) of(providerID string) *budget {
	if known, ok := b.byProvider.Load(providerID); ok {
		return known.(*budget)
	}
	known, _ := b.byProvider.LoadOrStore(providerID, &budget{saved: budgetBurst})
	return known.(*budget)
}

// First notes a first attempt, which earns percent of a repeat.
func (b *Budgets) First(providerID string, percent int) {
	account := b.of(providerID)
	account.mu.Lock()
	defer account.mu.Unlock()
	account.saved = min(account.saved+float64(percent)/100, budgetBurst)
}

// Repeat takes one repeat, if there is one.
func (b *Budgets) Repeat(providerID string) bool {
	account := b.of(providerID)
	account.mu.Lock()
	defer account.mu.Unlock()
	if account.saved < 1 {
		return false
	}
	account.saved--
	return true
}
