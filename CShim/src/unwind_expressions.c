// The evaluator of DWARF expressions (DWARF 5, chapter 2.5). Invariants: unwind_cursor.h.
#include "shim_code.h"

#include "unwind_expressions.h"

/// Depth and length of an expression: the PLT's takes 4 and 11, libgcc allows a depth of 64.
enum { MAX_EXPRESSION_DEPTH = 16, MAX_EXPRESSION_OPERATIONS = 128 };

/// The stack of one evaluation. An overflow, an underflow or an unknown register makes it `failed`.
typedef struct machine {
    uintptr_t values[MAX_EXPRESSION_DEPTH];
    unsigned depth;
    bool failed;
} machine;

// Signal context: callable.
static void push(machine *stack, uintptr_t value) {
    if (stack->depth == MAX_EXPRESSION_DEPTH) {
        stack->failed = true;
    } else {
        stack->values[stack->depth++] = value;
    }
}

// Signal context: callable.
static uintptr_t pop(machine *stack) {
    if (stack->depth > 0) return stack->values[--stack->depth];
    stack->failed = true;
    return 0;
}

/// The value `index` below the top. Signal context: callable.
static uintptr_t peek(machine *stack, unsigned index) {
    if (index < stack->depth) return stack->values[stack->depth - 1 - index];
    stack->failed = true;
    return 0;
}

// Signal context: callable.
static void push_register(machine *stack, const fl_unwind_view *view, uint64_t number, int64_t offset) {
    if (number >= FL_DWARF_REGISTERS || (FL_DWARF_TRACKED >> number & 1) == 0) {
        stack->failed = true;
    } else {
        push(stack, view->registers[number] + (uintptr_t)offset);
    }
}

/// Operations that replace the two topmost values: `left` was pushed first. Comparisons are signed.
/// Signal context: callable.
static void combine(machine *stack, uint8_t operation) {
    uintptr_t right = pop(stack), left = pop(stack);
    intptr_t signed_right = (intptr_t)right, signed_left = (intptr_t)left;
    switch (operation) {
    case 0x1a: push(stack, left & right); break;
    case 0x1c: push(stack, left - right); break;
    case 0x1e: push(stack, left * right); break;
    case 0x21: push(stack, left | right); break;
    case 0x22: push(stack, left + right); break;
    case 0x24: push(stack, right < 64 ? left << right : 0); break;                        // shl
    case 0x25: push(stack, right < 64 ? left >> right : 0); break;                        // shr
    case 0x26: push(stack, (uintptr_t)(signed_left >> (right < 64 ? right : 63))); break; // shra
    case 0x27: push(stack, left ^ right); break;
    case 0x29: push(stack, left == right); break;
    case 0x2a: push(stack, signed_left >= signed_right); break;
    case 0x2b: push(stack, signed_left > signed_right); break;
    case 0x2c: push(stack, signed_left <= signed_right); break;
    case 0x2d: push(stack, signed_left < signed_right); break;
    case 0x2e: push(stack, left != right); break;
    default: stack->failed = true; break;
    }
}

/// Operations on the stack alone. Signal context: callable.
static void rearrange(machine *stack, uint8_t operation, unsigned index) {
    uintptr_t top, second, third;
    switch (operation) {
    case 0x12: push(stack, peek(stack, 0)); break;     // dup
    case 0x13: pop(stack); break;                      // drop
    case 0x14: push(stack, peek(stack, 1)); break;     // over
    case 0x15: push(stack, peek(stack, index)); break; // pick
    case 0x16:                                         // swap
        top = pop(stack), second = pop(stack);
        push(stack, top), push(stack, second);
        break;
    case 0x17: // rot: the topmost becomes the third
        top = pop(stack), second = pop(stack), third = pop(stack);
        push(stack, top), push(stack, third), push(stack, second);
        break;
    default: stack->failed = true; break;
    }
}

fl_unwind_result fl_expression_evaluate(const fl_unwind_object *object, uintptr_t block, const fl_unwind_view *view,
                                        uintptr_t *value) {
    cursor length = cursor_make(object, block, object->end - block);
    uint64_t size = take_uleb(&length);
    cursor program = cursor_make(object, length.at, size);
    if (length.failed || program.failed) return FL_UNWIND_UNSUPPORTED;

    machine stack;
    stack.depth = 0;
    stack.failed = false;
    if (view->has_cfa) push(&stack, view->cfa);
    for (unsigned count = 0; cursor_has_more(&program); count++) {
        if (count == MAX_EXPRESSION_OPERATIONS) return FL_UNWIND_UNSUPPORTED;
        uint8_t operation = take_byte(&program);
        uintptr_t word;
        uint64_t number;
        switch (operation) {
        case 0x03: push(&stack, take_fixed(&program, 8)); break; // addr
        case 0x06:                                               // deref
            word = pop(&stack);
            if (stack.failed) return FL_UNWIND_UNSUPPORTED;
            if (!fl_stack_read(word, view->low, view->high, &word)) return FL_UNWIND_OUT_OF_BOUNDS;
            push(&stack, word);
            break;
        case 0x08: push(&stack, take_fixed(&program, 1)); break; // const1u, const1s and so on
        case 0x09: push(&stack, (uintptr_t)take_signed(&program, 1)); break;
        case 0x0a: push(&stack, take_fixed(&program, 2)); break;
        case 0x0b: push(&stack, (uintptr_t)take_signed(&program, 2)); break;
        case 0x0c: push(&stack, take_fixed(&program, 4)); break;
        case 0x0d: push(&stack, (uintptr_t)take_signed(&program, 4)); break;
        case 0x0e:
        case 0x0f: push(&stack, take_fixed(&program, 8)); break;
        case 0x10: push(&stack, take_uleb(&program)); break;
        case 0x11: push(&stack, (uintptr_t)take_sleb(&program)); break;
        case 0x12 ... 0x14:
        case 0x16 ... 0x17: rearrange(&stack, operation, 0); break;
        case 0x15: rearrange(&stack, operation, take_byte(&program)); break;
        case 0x1f: push(&stack, 0 - pop(&stack)); break; // neg
        case 0x20: push(&stack, ~pop(&stack)); break;    // not
        case 0x23:                                       // plus_uconst
            word = pop(&stack);
            push(&stack, word + take_uleb(&program));
            break;
        case 0x1a:
        case 0x1c:
        case 0x1e:
        case 0x21 ... 0x22:
        case 0x24 ... 0x27:
        case 0x29 ... 0x2e: combine(&stack, operation); break;
        case 0x30 ... 0x4f: push(&stack, operation - 0x30u); break;                                     // lit
        case 0x70 ... 0x8f: push_register(&stack, view, operation - 0x70u, take_sleb(&program)); break; // breg
        case 0x92:                                                                                      // bregx
            number = take_uleb(&program);
            push_register(&stack, view, number, take_sleb(&program));
            break;
        case 0x96: break; // nop
        case 0x9c:        // call_frame_cfa
            if (!view->has_cfa) return FL_UNWIND_UNSUPPORTED;
            push(&stack, view->cfa);
            break;
        default: return FL_UNWIND_UNSUPPORTED;
        }
        if (stack.failed || program.failed) return FL_UNWIND_UNSUPPORTED;
    }
    *value = pop(&stack);
    return stack.failed ? FL_UNWIND_UNSUPPORTED : FL_UNWIND_STEPPED;
}

#pragma clang attribute pop
