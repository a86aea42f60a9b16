// A backtracking matcher: one native call for each choice that may have to be undone, so a match over n characters with
// a choice at each recurses n deep.

/// One step of a compiled pattern; targets are indices of steps.
private enum RegexStep {
    case set(Int)
    case lineStart
    case lineEnd
    case wordBoundary(negated: Bool)
    /// Remembers the position in a slot: 2 n and 2 n + 1 are begin and end of group n.
    case save(Int)
    case jump(Int)
    /// Tries `first`, then `second`.
    case choose(first: Int, second: Int)
    case backreference(Int)
    /// Remembers where an iteration begins, in a mark; and leaves a loop whose iteration has matched nothing.
    case mark(Int)
    case leave(mark: Int, exit: Int)
    case accept
}

/// Compiles and matches one pattern. `text` must outlive the matcher and be UTF-8.
struct RegexMatcher {
    private let text: UnsafeBufferPointer<UInt8>
    private var steps: [RegexStep] = []
    private var sets: [RegexSet] = []
    private var marks: [Int] = []
    /// Begin and end of the whole match and of each group, -1 where a group has not matched.
    private(set) var slots: [Int]
    private var depth: UInt64 = 0
    /// The deepest recursion so far.
    private(set) var deepest: UInt64 = 0

    init(_ regex: RegexPattern, text: UnsafeBufferPointer<UInt8>) {
        self.text = text
        slots = Array(repeating: -1, count: 2 * (regex.groups + 1))
        compile(regex.root)
        steps.append(.accept)
    }

    /// Finds the next match that starts at `start` or later; `slots` then describes it.
    mutating func search(from start: Int) -> Bool {
        var start = start
        while true {
            for index in slots.indices { slots[index] = -1 }
            if let end = match(0, start) {
                (slots[0], slots[1]) = (start, end)
                return true
            }
            if start >= text.count { return false }
            start += RegexMatcher.scalarLength(text[start])
        }
    }

    static func scalarLength(_ first: UInt8) -> Int {
        first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    }

    // MARK: Compilation

    private mutating func compile(_ node: RegexNode) {
        switch node {
        case .empty: break
        case .set(let set):
            steps.append(.set(sets.count))
            sets.append(set)
        case .lineStart: steps.append(.lineStart)
        case .lineEnd: steps.append(.lineEnd)
        case .wordBoundary(let negated): steps.append(.wordBoundary(negated: negated))
        case .backreference(let number): steps.append(.backreference(number))
        case .sequence(let nodes):
            for node in nodes { compile(node) }
        case .group(let number, let node):
            steps.append(.save(2 * number))
            compile(node)
            steps.append(.save(2 * number + 1))
        case .alternation(let nodes):
            var jumps: [Int] = []
            for node in nodes.dropLast() {
                let choice = reserve()
                compile(node)
                jumps.append(reserve())
                steps[choice] = .choose(first: choice + 1, second: steps.count)
            }
            compile(nodes[nodes.count - 1])
            for jump in jumps { steps[jump] = .jump(steps.count) }
        case .repetition(let node, let minimum, let maximum, let isGreedy):
            for _ in 0..<minimum { compile(node) }
            if let maximum {
                compileOptional(node, count: maximum - minimum, isGreedy)
            } else {
                compileLoop(node, isGreedy)
            }
        }
    }

    private mutating func reserve() -> Int {
        steps.append(.accept)
        return steps.count - 1
    }

    private mutating func compileOptional(_ node: RegexNode, count: Int, _ isGreedy: Bool) {
        var choices: [Int] = []
        for _ in 0..<count {
            choices.append(reserve())
            compile(node)
        }
        for choice in choices { steps[choice] = decision(choice + 1, else: steps.count, isGreedy) }
    }

    private mutating func compileLoop(_ node: RegexNode, _ isGreedy: Bool) {
        let choice = reserve()
        if node.canBeEmpty {
            let mark = marks.count
            marks.append(-1)
            steps.append(.mark(mark))
            compile(node)
            // The exit is behind the jump that follows.
            steps.append(.leave(mark: mark, exit: steps.count + 2))
        } else {
            compile(node)
        }
        steps.append(.jump(choice))
        steps[choice] = decision(choice + 1, else: steps.count, isGreedy)
    }

    private func decision(_ inside: Int, else exit: Int, _ isGreedy: Bool) -> RegexStep {
        isGreedy ? .choose(first: inside, second: exit) : .choose(first: exit, second: inside)
    }

    // MARK: Matching

    /// Where a match from `step` on at `position` ends, nil if there is none.
    private mutating func match(_ step: Int, _ position: Int) -> Int? {
        var (step, position) = (step, position)
        depth += 1
        deepest = max(deepest, depth)
        defer { depth -= 1 }
        while true {
            switch steps[step] {
            case .set(let index):
                guard position < text.count, sets[index].contains(scalar(at: position)) else { return nil }
                position += Self.scalarLength(text[position])
            case .lineStart:
                guard position == 0 || text[position - 1] == 0x0a else { return nil }
            case .lineEnd:
                guard position == text.count || text[position] == 0x0a else { return nil }
            case .wordBoundary(let negated):
                guard (isWord(position - 1) != isWord(position)) != negated else { return nil }
            case .backreference(let number):
                guard let end = matchAgain(number, position) else { return nil }
                position = end
            case .jump(let target):
                step = target
                continue
            case .choose(let first, let second):
                if let end = match(first, position) { return end }
                step = second
                continue
            case .save(let slot):
                let former = slots[slot]
                slots[slot] = position
                if let end = match(step + 1, position) { return end }
                slots[slot] = former
                return nil
            case .mark(let mark):
                let former = marks[mark]
                marks[mark] = position
                let end = match(step + 1, position)
                marks[mark] = former
                return end
            case .leave(let mark, let exit):
                if marks[mark] == position {
                    step = exit
                    continue
                }
            case .accept:
                return position
            }
            step += 1
        }
    }

    /// Where a repetition of what group `number` has matched ends. A group that has not matched fails.
    private func matchAgain(_ number: Int, _ position: Int) -> Int? {
        let (begin, end) = (slots[2 * number], slots[2 * number + 1])
        guard begin >= 0, end >= begin, position + end - begin <= text.count else { return nil }
        for offset in 0..<end - begin where text[begin + offset] != text[position + offset] { return nil }
        return position + end - begin
    }

    private func isWord(_ position: Int) -> Bool {
        text.indices.contains(position) && RegexSet.word.contains(UInt32(text[position]))
    }

    private func scalar(at position: Int) -> UInt32 {
        let first = UInt32(text[position])
        if first < 0x80 { return first }
        let length = Self.scalarLength(text[position])
        var value = first & (0x7f >> UInt32(length))
        for offset in 1..<length {
            value = value << 6 | UInt32(text[position + offset] & 0x3f)
        }
        return value
    }
}
