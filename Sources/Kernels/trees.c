/// Binary trees: allocate, count and free. Many bushy trees (shallow recursion) and one spine (deep recursion).
/// `parameter` is the depth of the largest bushy tree; the spine has `parameter` times 500 nodes.
/// counts[0]: nodes allocated. The checksum is over the node counts of all trees in order.
#include "Kernels.h"
#include "kernel.h"

#include <stdlib.h>

typedef struct tree {
    struct tree *left;
    struct tree *right;
} tree;

enum { SHALLOWEST = 4, SPINE_PER_DEPTH = 500 };

static tree *tree_node(tree *left, tree *right) {
    tree *node = malloc(sizeof(tree));
    if (node == NULL) {
        abort();
    }
    node->left = left;
    node->right = right;
    return node;
}

static tree *tree_bushy(uint64_t depth) {
    if (depth == 0) {
        return tree_node(NULL, NULL);
    }
    tree *left = tree_bushy(depth - 1);
    return tree_node(left, tree_bushy(depth - 1));
}

static tree *tree_spine(uint64_t length) { return length == 0 ? NULL : tree_node(NULL, tree_spine(length - 1)); }

static uint64_t tree_count(const tree *node) {
    return node == NULL ? 0 : tree_count(node->left) + 1 + tree_count(node->right);
}

/// Frees children first, so that the recursion is as deep as the tree.
static void tree_free(tree *node) {
    if (node == NULL) {
        return;
    }
    tree_free(node->left);
    tree_free(node->right);
    free(node);
}

uint64_t fl_trees_run(const uint8_t *input, size_t length, uint64_t parameter, fl_workload_outcome *outcome) {
    (void)input;
    (void)length;
    if (parameter < SHALLOWEST || parameter > 30) {
        fl_outcome_fail(outcome, "trees: the depth must be 4 to 30");
        return 0;
    }
    uint64_t hash = FL_HASH_BASIS;
    uint64_t total = 0;
    tree *lasting = tree_bushy(parameter);
    for (uint64_t depth = SHALLOWEST; depth <= parameter; depth += 2) {
        uint64_t nodes = 0;
        uint64_t rounds = UINT64_C(1) << (parameter - depth);
        for (uint64_t round = 0; round < rounds; round++) {
            tree *passing = tree_bushy(depth);
            nodes += tree_count(passing);
            tree_free(passing);
        }
        hash = fl_hash_word(hash, nodes);
        total += nodes;
    }
    tree *spine = tree_spine(parameter * SPINE_PER_DEPTH);
    uint64_t spine_nodes = tree_count(spine);
    tree_free(spine);
    uint64_t lasting_nodes = tree_count(lasting);
    tree_free(lasting);
    hash = fl_hash_word(fl_hash_word(hash, spine_nodes), lasting_nodes);
    outcome->counts[0] = total + spine_nodes + lasting_nodes;
    return hash;
}
