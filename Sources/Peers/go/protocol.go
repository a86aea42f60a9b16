// What every driver shares: it reads a line "operation count argument…", performs the operation, and answers with the
// nanoseconds that it took, followed by further numbers where the operation has any; "version" is answered with Go's. It
// ends with its input. Started with arguments, it takes them for the one line.
//
// A driver is this file and one more, which adds its operations to the table in an init function.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// An operation is performed count times and returns nanoseconds first.
type operation func(count int, arguments []int) []int64

var operations = map[string]operation{}

func main() {
	// A collection measures the stacks in use and may start later ones larger (adaptivestackstart): what is timed must
	// not depend on when that happens. The heap of a driver stays small.
	debug.SetGCPercent(-1)
	if len(os.Args) > 1 {
		fmt.Println(answer(os.Args[1:]))
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println(answer(strings.Fields(lines.Text())))
	}
}

func answer(words []string) string {
	if len(words) == 1 && words[0] == "version" {
		return runtime.Version()
	}
	if len(words) < 2 {
		return "error: a request is an operation and a count"
	}
	perform := operations[words[0]]
	if perform == nil {
		return "error: no operation " + words[0]
	}
	var numbers []int
	for _, word := range words[1:] {
		number, err := strconv.Atoi(word)
		if err != nil {
			return "error: " + word + " is not a number"
		}
		numbers = append(numbers, number)
	}
	var text []string
	for _, number := range perform(numbers[0], numbers[1:]) {
		text = append(text, strconv.FormatInt(number, 10))
	}
	return strings.Join(text, " ")
}
