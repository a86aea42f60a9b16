/// A sequence whose elements a coroutine produces, at any depth of calls.
///
///     let leaves = Generator { yield in try visit(tree, yield) }
///     for leaf in leaves { … }
///
/// Each iterator is a coroutine of its own, with the rules of ``Coroutine``: it stays on its thread, and leaving the
/// loop early cancels it. Where the body throws, or no stack can be made, the sequence ends; iterate with
/// ``Iterator/nextElement()`` to see the error.
public struct Generator<Element>: Sequence {
    /// What a generator's body yields with.
    public typealias Yield = Coroutine<Void, Element, Void>.Suspender

    private let configuration: StackConfiguration
    private let body: (borrowing Yield) throws -> Void

    /// A sequence of what `body` yields.
    /// - Parameters:
    ///   - configuration: the stack of each iterator's coroutine, which is made at its first element.
    ///   - body: yields the elements, anew for each iterator.
    public init(configuration: StackConfiguration = .init(), _ body: @escaping (borrowing Yield) throws -> Void) {
        self.configuration = configuration
        self.body = body
    }

    @available(*, noasync, message: "a generator stays on its thread, and an async function does not")
    public func makeIterator() -> Iterator { Iterator(configuration: configuration, body: body) }

    public final class Iterator: IteratorProtocol {
        private let make: () throws -> Coroutine<Void, Element, Void>
        private var coroutine: Coroutine<Void, Element, Void>?
        private var ended = false
        /// The error that ended the sequence early, if one did.
        public private(set) var error: (any Error)?

        init(configuration: StackConfiguration, body: @escaping (borrowing Yield) throws -> Void) {
            make = {
                try Coroutine(configuration: configuration) { (yield: borrowing Yield, _: Void) in try body(yield) }
            }
        }

        /// The next element, nil at the end or after an error, which `error` then holds.
        @available(*, noasync, message: "a generator stays on its thread, and an async function does not")
        public func next() -> Element? {
            do { return try nextElement() } catch {
                self.error = error
                return nil
            }
        }

        /// The next element, nil at the end.
        /// - Throws: what the body throws, ``StackFault``, or ``StackError`` when no stack can be made.
        @available(*, noasync, message: "a generator stays on its thread, and an async function does not")
        public func nextElement() throws -> Element? {
            if ended { return nil }
            do {
                let running = try coroutine ?? make()
                coroutine = running
                if case .suspended(let element) = try running.resume() { return element }
                end()
                return nil
            } catch {
                // A coroutine that hibernates and cannot be restored now waits for the next call.
                if coroutine?.isResumable != true { end() }
                throw error
            }
        }

        private func end() {
            ended = true
            coroutine = nil
        }
    }
}
