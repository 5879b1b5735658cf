metadata description = 'The Durable Task Scheduler that keeps the state of every call, and its task hub.'

@minLength(3)
@maxLength(64)
param schedulerName string
param taskHubName string
param location string
param tags object
param appPrincipalId string

@description('Consumption is billed per action (500 a second at most); Dedicated has reserved capacity.')
@allowed(['Consumption', 'Dedicated'])
param skuName string

@description('Capacity units of the Dedicated plan.')
@minValue(1)
param capacity int = 1

@description('Days for which the history of a call that ended well is kept.')
@minValue(1)
param completedDays int = 7

@description('Days for which the history of a call that failed is kept.')
@minValue(1)
param failedDays int = 30

var dataContributor = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '0ad04412-c4d5-4796-b79c-f76d14c8d402')

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: schedulerName
  location: location
  tags: tags
  properties: {
    sku: skuName == 'Dedicated' ? { name: skuName, capacity: capacity } : { name: skuName }
    ipAllowlist: ['0.0.0.0/0'] // required; an empty list denies everyone
    publicNetworkAccess: 'Enabled'
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2026-02-01' = {
  parent: scheduler
  name: taskHubName
}

resource retention 'Microsoft.DurableTask/schedulers/retentionPolicies@2026-02-01' = {
  parent: scheduler
  name: 'default'
  properties: {
    retentionPolicies: [
      { retentionPeriodInDays: completedDays, orchestrationState: 'Completed' }
      { retentionPeriodInDays: failedDays, orchestrationState: 'Failed' }
      { retentionPeriodInDays: failedDays, orchestrationState: 'Terminated' }
    ]
  }
}

resource worker 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, appPrincipalId, dataContributor)
  scope: hub
  properties: { roleDefinitionId: dataContributor, principalId: appPrincipalId, principalType: 'ServicePrincipal' }
}

output endpoint string = scheduler.properties.endpoint
output taskHubName string = hub.name
