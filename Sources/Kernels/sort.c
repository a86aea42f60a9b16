/// Quicksort of an array and merge sort of a linked list whose merge is recursive too (as deep as the list is long).
/// `parameter` is the length of the array; the list holds its first 10,000 elements. The two must agree.
/// The checksum is over the sorted array, then the sorted list.
#include "Kernels.h"
#include "kernel.h"

#include <stdlib.h>

enum { LONGEST_LIST = 10000 };

typedef struct cell {
    struct cell *next;
    uint64_t value;
} cell;

static void quicksort(uint64_t *values, size_t count) {
    if (count < 2) {
        return;
    }
    // Hoare's partition around the middle element.
    uint64_t pivot = values[(count - 1) / 2];
    size_t low = 0;
    size_t high = count - 1;
    for (;;) {
        while (values[low] < pivot) {
            low++;
        }
        while (values[high] > pivot) {
            high--;
        }
        if (low >= high) {
            break;
        }
        uint64_t swapped = values[low];
        values[low++] = values[high];
        values[high--] = swapped;
    }
    quicksort(values, high + 1);
    quicksort(values + high + 1, count - high - 1);
}

static cell *merge(cell *first, cell *second) {
    if (first == NULL) {
        return second;
    }
    if (second == NULL) {
        return first;
    }
    if (second->value < first->value) {
        second->next = merge(first, second->next);
        return second;
    }
    first->next = merge(first->next, second);
    return first;
}

static cell *merge_sort(cell *list, size_t count) {
    if (count < 2) {
        return list;
    }
    cell *last = list;
    for (size_t index = 1; index < count / 2; index++) {
        last = last->next;
    }
    cell *rest = last->next;
    last->next = NULL;
    cell *sorted = merge_sort(list, count / 2);
    return merge(sorted, merge_sort(rest, count - count / 2));
}

uint64_t fl_sort_run(const uint8_t *input, size_t length, uint64_t parameter, fl_workload_outcome *outcome) {
    (void)input;
    (void)length;
    size_t count = (size_t)parameter;
    size_t cells = count < LONGEST_LIST ? count : LONGEST_LIST;
    uint64_t *values = calloc(count + 1, sizeof(uint64_t));
    cell *list = calloc(cells + 1, sizeof(cell));
    uint64_t hash = FL_HASH_BASIS;
    if (values == NULL || list == NULL) {
        fl_outcome_fail(outcome, "sort: out of memory; choose a smaller length");
    } else {
        uint64_t random = FL_HASH_BASIS;
        for (size_t index = 0; index < count; index++) {
            values[index] = fl_random_next(&random);
        }
        for (size_t index = 0; index < cells; index++) {
            list[index] = (cell){.next = index + 1 < cells ? &list[index + 1] : NULL, .value = values[index]};
        }
        quicksort(values, count);
        for (size_t index = 0; index < count; index++) {
            hash = fl_hash_word(hash, values[index]);
        }
        for (cell *item = merge_sort(list, cells); cells != 0 && item != NULL; item = item->next) {
            hash = fl_hash_word(hash, item->value);
        }
    }
    free(values);
    free(list);
    return outcome->status == 0 ? hash : 0;
}
