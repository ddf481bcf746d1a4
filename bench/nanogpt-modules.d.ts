/** What is taken from @genai-fi/nanogpt, by its alias. */
declare module 'nanogpt-loss' {
  export function calculateLoss(
    logits: import('@tensorflow/tfjs').Tensor,
    targets: import('@tensorflow/tfjs').Tensor,
    masked?: boolean,
    keepBatch?: boolean,
    labelSmoothing?: number,
  ): import('@tensorflow/tfjs').Tensor;
}

declare module 'nanogpt-backend' {
  export function selectBackend(name: string): Promise<void>;
}
