// Chains of calls that the compiler cannot inline: of a function by its name, by a closure and by an interface.
package main

func init() {
	operations["direct"] = func(count int, arguments []int) []int64 { return chain(count, arguments[0], direct) }
	operations["closure"] = func(count int, arguments []int) []int64 {
		var links []func(int) int
		for i := 0; i <= arguments[0]; i++ {
			next := i - 1
			links = append(links, func(n int) int {
				if next < 0 {
					return n
				}
				return links[next](n) + 1
			})
		}
		return chain(count, arguments[0], func(depth int) int { return links[depth](0) })
	}
	operations["interface"] = func(count int, arguments []int) []int64 {
		var links link = lastLink{}
		for i := 0; i < arguments[0]; i++ {
			links = innerLink{links}
		}
		return chain(count, arguments[0], func(depth int) int { return links.call(0) })
	}
}

type link interface{ call(n int) int }
type lastLink struct{}
type innerLink struct{ next link }

func (lastLink) call(n int) int    { return n }
func (l innerLink) call(n int) int { return l.next.call(n) + 1 }

//go:noinline
func direct(depth int) int {
	if depth == 0 {
		return 0
	}
	return direct(depth-1) + 1
}

// About count calls in chains of that depth. Returns what they computed.
func chain(count, depth int, call func(int) int) []int64 {
	sum := 0
	for i := 0; i < count; i += depth + 1 {
		sum += call(depth)
	}
	return []int64{int64(sum)}
}
