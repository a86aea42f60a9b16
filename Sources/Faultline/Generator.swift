public import CSwitch

/// A sequence whose elements a coroutine produces, at any depth of calls.
///
///     let leaves = Generator { yield in try visit(tree, yield) }
///     for leaf in leaves { … }
///
/// Each iterator is a coroutine of its own, with the rules of ``Coroutine``: it stays on its thread, and leaving the
/// loop early cancels it. Where the body throws, or no stack can be made, a `for` loop over the generator itself just
/// ends; ``withElements(_:)`` throws the error after the loop.
@frozen public struct Generator<Element>: Sequence {
    /// What a generator's body yields with.
    public typealias Yield = Coroutine<Void, Element, Void>.Suspender

    @usableFromInline let configuration: StackConfiguration
    @usableFromInline let body: (borrowing Yield) throws -> Void

    /// A sequence of what `body` yields.
    /// - Parameters:
    ///   - configuration: the stack of each iterator's coroutine, which is made with the iterator.
    ///   - body: yields the elements, anew for each iterator.
    @inlinable
    public init(configuration: StackConfiguration = .init(), _ body: @escaping (borrowing Yield) throws -> Void) {
        self.configuration = configuration
        self.body = body
    }

    @available(*, noasync, message: "a generator stays on its thread, and an async function does not")
    @inlinable public func makeIterator() -> Iterator { Iterator(configuration: configuration, body: body) }

    /// Runs `loop` over the elements, and throws afterwards what ended them early.
    ///
    ///     try lines.withElements { lines in
    ///         for line in lines { if line.isEmpty { break } }
    ///     }
    ///
    /// - Returns: what `loop` returns.
    /// - Throws: what `loop` throws; what the body threw, ``StackFault``, or ``StackError`` when no stack could
    ///   be made. Leaving the loop early is no error.
    @available(*, noasync, message: "a generator stays on its thread, and an async function does not")
    @inlinable public func withElements<R>(_ loop: (Iterator) throws -> R) throws -> R {
        let elements = makeIterator()
        let result = try loop(elements)
        if let error = elements.error { throw error }
        return result
    }

    /// The elements of one run of the body, once.
    @_fixed_layout  // inlinable code sets up its field, also in library evolution mode
    public final class Iterator: IteratorProtocol, Sequence {
        @usableFromInline let coroutine: Result<Coroutine<Void, Element, Void>, any Error>
        // Its own, so that an element does not count references.
        @usableFromInline let fiber: UnsafeMutablePointer<fl_fiber>?
        /// The error that ended the elements early, if one did.
        public internal(set) var error: (any Error)?

        @inlinable init(configuration: StackConfiguration, body: @escaping (borrowing Yield) throws -> Void) {
            coroutine = Result {
                try Coroutine(configuration: configuration) { (yield: borrowing Yield, _: Void) in try body(yield) }
            }
            fiber = try? coroutine.get().fiber
        }

        /// The next element, nil at the end or after an error, which `error` then holds.
        @available(*, noasync, message: "a generator stays on its thread, and an async function does not")
        @inlinable public func next() -> Element? {
            do { return try nextElement() } catch {
                keep(error)
                return nil
            }
        }

        /// The next element, nil at the end.
        /// - Throws: what the body throws, ``StackFault``, or ``StackError`` when no stack can be made. After an error
        ///   the elements have ended, unless the coroutine hibernates and could not be restored: that is tried anew.
        @available(*, noasync, message: "a generator stays on its thread, and an async function does not")
        @inlinable public func nextElement() throws -> Element? {
            do {
                guard let fiber else { return try failure() }
                if case .suspended(let element) = try Coroutine<Void, Element, Void>.resume(fiber, ()) {
                    return element
                }
                end()
                return nil
            } catch {
                if hasEnded { return nil }
                end(after: error)
                throw error
            }
        }

        @usableFromInline var hasEnded = false

        // What kept the coroutine from being made.
        @usableFromInline @inline(never) func failure() throws -> Element? {
            _ = try coroutine.get()
            return nil
        }

        @usableFromInline @inline(never) func end(after error: (any Error)? = nil) {
            guard case .success(let coroutine) = coroutine else {
                hasEnded = true
                return
            }
            // One that could not be made to run now waits for the next call. Any other that may still be resumed has
            // handed over to another, which has ended: there are no further elements.
            if case StackError.unavailable? = error {} else { coroutine.cancel() }
            hasEnded = !coroutine.isResumable
        }

        @usableFromInline @inline(never) func keep(_ error: any Error) { self.error = error }
    }
}
