package sandbox

const base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// base62 appends the last n digits of v.
func base62(dst []byte, v uint64, n int) []byte {
	at := len(dst)
	for range n {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; i >= at; i-- {
		dst[i] = base62Digits[v%62]
		v /= 62
	}
	return dst
}

// letters is n random letters and digits.
func (w *world) letters(n int) string {
	b := make([]byte, 0, 64)
	for n > 0 {
		part := min(n, 10) // 62^10 fits 64 bits
		b = base62(b, w.random.Uint64(), part)
		n -= part
	}
	return string(b)
}

// newID makes an id as Stripe's look: prefix, version digit 1, five digits of the time, the end of the account's id, eight random.
func (w *realm) newID(prefix string) string {
	return w.unused(func() string { return prefix + w.fragment('1') + w.letters(8) })
}

// unused makes ids until one is new. Each has billions of others beside it, so this ends.
func (w *realm) unused(make func() string) string {
	for {
		if id := make(); w.byID[id] == nil {
			return id
		}
	}
}

// newAccountID makes the id of an account: version digit 1, five digits of the time, ten random, which the ids of its objects share.
func (w *realm) newAccountID() string {
	return w.unused(func() string { return "acct_" + string(base62([]byte{'1'}, uint64(w.now().Unix()), 5)) + w.letters(10) })
}

// newShortID makes an id of the older form, which customers and requests keep: prefix and fourteen random.
func (w *realm) newShortID(prefix string) string {
	return w.unused(func() string { return prefix + w.letters(14) })
}

// newPaymentID makes an id of what belongs to a payment: version digit 3, a shard and seven random. A charge, a refund or a balance
// transaction shares the first sixteen with its payment, whose id is kin; the payment itself has none.
func (w *realm) newPaymentID(prefix, kin string) string {
	fragment := ""
	if len(kin) >= len("pi_")+16 {
		fragment = kin[len("pi_") : len("pi_")+16]
	} else {
		fragment = w.fragment('3')
	}
	return w.unused(func() string {
		shard := string('0' + byte(w.random.Uint64()%3))
		return prefix + fragment + shard + w.letters(7)
	})
}

// fragment is the sixteen characters that tell when and in which account something was made.
func (w *realm) fragment(version byte) string {
	b := base62([]byte{version}, uint64(w.now().Unix()), 5)
	return string(b) + w.account[len(w.account)-10:]
}
