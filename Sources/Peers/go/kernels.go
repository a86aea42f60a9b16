// Programs that do little but call, to be timed from outside: the operations return what they computed, not how long it
// took. Their sizes are those at which each takes some 0.1 s.
package main

func init() {
	operations["fib"] = func(count int, arguments []int) []int64 { return []int64{int64(fib(count))} }
	operations["ackermann"] = func(count int, arguments []int) []int64 { return []int64{int64(ackermann(2, count))} }
	operations["trees"] = func(count int, arguments []int) []int64 {
		var nodes int64
		for i := 0; i < 8; i++ {
			nodes += grow(count).nodes()
		}
		return []int64{nodes}
	}
}

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func ackermann(m, n int) int {
	if m == 0 {
		return n + 1
	}
	if n == 0 {
		return ackermann(m-1, 1)
	}
	return ackermann(m-1, ackermann(m, n-1))
}

type tree struct{ left, right *tree }

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{}
	}
	return &tree{grow(depth - 1), grow(depth - 1)}
}

func (t *tree) nodes() int64 {
	if t.left == nil {
		return 1
	}
	return 1 + t.left.nodes() + t.right.nodes()
}
