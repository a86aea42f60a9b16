// Call trees that experiments follow instruction by instruction, on one goroutine that stays on its thread: functions of this
// file that are as deep as they are meant to be, and parts of the standard library. With an argument more of these.

package main

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"math/big"
	"math/bits"
	"os"
	"regexp"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"
)

func main() {
	runtime.LockOSThread()
	if len(os.Args) > 1 {
		thorough()
	} else {
		measured()
	}
}

//go:noinline
func measured() int {
	return outer(3) + recursion(20) + len(numbers()) + len(texts()) + digests() + sorted() + clocks()
}

//go:noinline
func thorough() int {
	return measured() + documents()
}

// Bounded by design: a frame of a known size at the end of a chain.
//
//go:noinline
func outer(seed int) int {
	var local [10]int
	for index := range local {
		local[index] = middle(seed + index)
	}
	return local[seed&7]
}

//go:noinline
func middle(seed int) int {
	if seed&1 == 0 {
		return small(seed) + 1
	}
	return large(seed) + 2
}

//go:noinline
func small(seed int) int {
	var local [4]int
	local[seed&3] = seed
	return local[seed>>1&3]
}

//go:noinline
func large(seed int) int {
	var local [300]int
	local[seed&255] = seed
	return local[seed>>1&255] + small(seed)
}

//go:noinline
func recursion(depth int) int {
	if depth == 0 {
		return 1
	}
	return recursion(depth-1) + 1
}

//go:noinline
func numbers() []byte {
	var text []byte
	text = strconv.AppendInt(text, -1234567890123, 10)
	text = strconv.AppendUint(text, 1<<63, 36)
	text = strconv.AppendFloat(text, math.Pi*1e20, 'g', -1, 64)
	text = strconv.AppendFloat(text, 1.0/3, 'e', 17, 64)
	text = strconv.AppendQuote(text, "a\tb\x00\u00e9\U0001f600")
	value, _ := strconv.ParseFloat("3.14159265358979323846264338327950288e-5", 64)
	number, _ := strconv.ParseInt("-987654321", 0, 64)
	product := new(big.Int).Mul(big.NewInt(number), new(big.Int).Lsh(big.NewInt(7), 300))
	text = product.Append(text, 10)
	return append(text, byte(bits.OnesCount64(math.Float64bits(math.Sin(value)+math.Pow(2.5, 3.5)))))
}

//go:noinline
func texts() string {
	words := strings.Fields(" the quick  brown fox jumps over the lazy dog ")
	for index, word := range words {
		words[index] = strings.ToUpper(strings.TrimRight(word, "eg")) + strings.Repeat("-", index)
	}
	text := strings.Join(words, "/")
	text = strings.ReplaceAll(text, "-/", "+")
	if strings.Contains(text, "LAZY") && strings.LastIndex(text, "O") > strings.IndexByte(text, 'Q') {
		text += string(bytes.Title([]byte("done")))
	}
	count := 0
	for _, letter := range "Grüße, 世界" {
		if unicode.IsUpper(letter) || unicode.Is(unicode.Han, letter) {
			count += utf8.RuneLen(letter)
		}
	}
	return text + strconv.Itoa(count)
}

//go:noinline
func digests() int {
	data := bytes.Repeat([]byte("0123456789abcdef"), 20)
	first, second := sha256.Sum256(data), md5.Sum(data)
	encoded := base64.StdEncoding.EncodeToString(first[:]) + hex.EncodeToString(second[:])
	sum := crc32.ChecksumIEEE([]byte(encoded))
	return int(sum&0xff) + int(binary.BigEndian.Uint32(first[:])&0xff)
}

//go:noinline
func sorted() int {
	values := make([]int, 40)
	for index := range values {
		values[index] = index * 7919 % 101
	}
	sort.Ints(values)
	place := sort.SearchInts(values, 50)
	sort.Slice(values, func(i, j int) bool { return values[i] > values[j] })
	return values[0] + place
}

//go:noinline
func documents() int {
	pattern := regexp.MustCompile(`(\w+)-+(\d*)`)
	replaced := pattern.ReplaceAllString("quick--brown fox-12", "$2$1")
	var table bytes.Buffer
	writer := tabwriter.NewWriter(&table, 0, 8, 1, ' ', 0)
	fmt.Fprintf(writer, "%5d\t%-8s\t%v\n", 42, "text", []float64{1.5, 2.25})
	writer.Flush()
	var value map[string]any
	if json.Unmarshal([]byte(`{"list": [1, 2.5, "three", null], "map": {"a": true}}`), &value) != nil {
		return 0
	}
	text, _ := json.Marshal(value)
	return len(text) + table.Len() + len(replaced)
}

//go:noinline
func clocks() int {
	start := time.Date(2024, time.February, 29, 12, 30, 0, 0, time.UTC)
	return start.Add(36*time.Hour).YearDay() + len(start.Format(time.RFC1123))
}
